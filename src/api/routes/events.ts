import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { TERMINAL } from '../../../machines/run.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import type { CancelSignal } from '../../runtime/types/cancel-signal.ts';
import type { EventView, LiveUpdate } from '../../runtime/types/executions.ts';
import { ExecutionById } from '../operations/executions.ts';
import { sendList } from '../replies/json-list.ts';
import { acceptsTagged, type EventFormat, requestedFormat, requestedTypes } from '../requests/event-filter.ts';
import { warnOfEvent } from '../requests/event-warnings.ts';
import { idempotencyKey } from '../requests/idempotency-key.ts';
import { executionId } from '../requests/ids.ts';
import { prefersStrict } from '../requests/preference.ts';
import { AcceptedEvent, EventList, EventsQuery, SendEvent, TAGGED_JSON } from '../schemas/events.ts';
import { defined } from '../schemas/fields.ts';
import { type Api, callerOf, identityOf, type Services } from '../services.ts';
import type { StreamMessage } from '../streams/event-streams.ts';

const MAX_WAIT_MS = 60_000;

interface Selection {
  readonly after: number;
  /** Number of matching events. */
  readonly limit: number;
  /** Null = all. */
  readonly types: ReadonlySet<string> | null;
  readonly nodeId: string | null;
}

export function eventRoutes(app: Api, services: Services): void {
  const { runtime, polls, config } = services;

  app.get(
    '/executions/:id/events',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the events of an execution',
        description:
          'The whole log if `limit` is absent. `kind` is a name. With `format=tagged`, and under `/compat` and `/api/v1`, events are in the tagged form: `kind` is an object with its `type`. `Accept: application/vnd.jamjet.tagged+json` requests that form too and becomes the media type of the reply. With `follow=true`, or if `Accept` prefers `text/event-stream`: a stream of server-sent events, first the log, then new events until the execution ends.',
        tags: ['Events'],
        operationId: 'listEvents',
        params: ExecutionById,
        querystring: EventsQuery,
        response: {
          200: EventList,
          204: Type.Null({ description: 'The execution has ended, and the client has all of its events.' }),
        },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const { after = 0, limit = Number.POSITIVE_INFINITY, node_id = null, wait_ms = 0 } = request.query;
      const id = executionId(request.params.id);
      const chosen: Selection = { after, limit, types: requestedTypes(request.query), nodeId: node_id };
      const form = requestedFormat(request, request.query.format, config.eventFormat);
      if (prefersStream(request, request.query.follow)) return streamEvents(services, request, reply, id, chosen, form);
      if (wait_ms > 0) {
        await polls.run(reply, (signal) => waitForEvent(services, tenantId, id, chosen, wait_ms, signal));
      }
      const mediaType = acceptsTagged(request) && form.tagged ? TAGGED_JSON : undefined;
      return sendList(reply, 'events', selectedEvents(services, tenantId, id, chosen, form), {}, mediaType);
    },
  );

  // Some clients use the second path.
  for (const [path, operationId] of [
    ['/executions/:id/external-event', 'sendExternalEvent'],
    ['/executions/:id/events', 'sendEvent'],
  ] as const) {
    app.post(
      path,
      {
        config: { access: 'write', isShed: true },
        schema: {
          summary: 'Send an external event',
          description:
            'Delivers the event to the node that waits for its key. If none does, the event is kept for a node that will. Of an execution that another one continues, the last one gets it. A payload that does not fit the `schema` of the nodes that wait for its key is a warning, or with `Prefer: handling=strict` refused (400 `invalid_input`), as is an event that the state of a machine does not accept (409).',
          tags: ['Events'],
          operationId,
          params: ExecutionById,
          body: SendEvent,
          response: { 200: AcceptedEvent },
        },
      },
      async (request, reply) => {
        const id = executionId(request.params.id);
        const { correlation_key, payload, event_id } = request.body;
        const receipt = await runtime.sendEvent(callerOf(request), id, {
          key: correlation_key,
          payload,
          strict: prefersStrict(request.headers),
          ...defined('idempotencyKey', idempotencyKey(request.headers, event_id)),
        });
        warnOfEvent(request, reply, correlation_key, receipt);
        const { executionId: to = id, matched, nodeId } = receipt;
        return { execution_id: to, accepted: true as const, matched, buffered: !matched, node_id: nodeId };
      },
    );
  }
}

/** Resolves when there is a matching event after `after`, the execution has ended, or `waitMs` have passed. */
async function waitForEvent(
  { runtime }: Services,
  tenantId: string,
  id: string,
  chosen: Selection,
  waitMs: number,
  signal: CancelSignal,
): Promise<void> {
  const until = new AbortController();
  const end = (): void => until.abort();
  const timer = setTimeout(end, Math.min(waitMs, MAX_WAIT_MS));
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    for await (const event of runtime.subscribe(tenantId, id, { after: chosen.after, signal: until.signal })) {
      if (matches(event, chosen)) return;
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

/** The store filters by one kind and one node; several kinds are filtered here. */
async function* selectedEvents(
  { runtime }: Services,
  tenantId: string,
  id: string,
  chosen: Selection,
  form: EventFormat,
): AsyncGenerator<object> {
  const [type, ...others] = chosen.types ?? [];
  const page = {
    after: chosen.after,
    ...defined('nodeId', chosen.nodeId),
    ...(others.length === 0 ? defined('type', type) : {}),
    ...(others.length === 0 && Number.isFinite(chosen.limit) ? { limit: chosen.limit } : {}),
  };
  let left = chosen.limit;
  for await (const event of runtime.events(tenantId, id, page)) {
    if (!matches(event, chosen)) continue;
    yield form.serialize(event);
    if (--left <= 0) return;
  }
}

function matches(event: EventView, { types, nodeId }: Selection): boolean {
  return (types === null || types.has(event.type)) && (nodeId === null || event.nodeId === nodeId);
}

/** If `Accept` contains both JSON and streams, the first one counts. */
function prefersStream({ method, headers: { accept = '' } }: FastifyRequest, follow: boolean | undefined): boolean {
  const [first] = /\b(?:application\/json|text\/event-stream)\b/i.exec(accept) ?? [];
  return method !== 'HEAD' && (follow ?? first?.toLowerCase() === 'text/event-stream');
}

/** Streams the log as server-sent events. Replies 204, which stops reconnecting, to a client that has all events of an ended execution. */
async function streamEvents(
  { runtime, store, streams }: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  chosen: Selection,
  form: EventFormat,
): Promise<FastifyReply> {
  const { tenantId } = identityOf(request);
  const execution = async () => {
    const row = await store.tenant(tenantId).execution(id);
    if (row === null) throw new RuntimeError('not_found', `execution ${id} not found`);
    return row;
  };
  const resumed = lastEventId(request);
  const { status, seq } = await execution();
  if (resumed !== null && resumed >= seq && isTerminal(status)) return reply.code(204).send();
  const after = resumed ?? chosen.after;
  const pace = streams.turns(tenantId);
  return streams.open(request, reply, async (stream, signal) => {
    // One message at a time: events and texts have producers of their own.
    let sent: Promise<void> = Promise.resolve();
    const send = (message: StreamMessage): Promise<void> => {
      sent = sent.then(() => stream.send(message));
      return sent;
    };
    const texts = new AbortController();
    signal.addEventListener('abort', () => texts.abort(), { once: true });
    if (signal.aborted) texts.abort();
    const showsTexts = chosen.types === null && chosen.limit === Number.POSITIVE_INFINITY;
    const deltas = showsTexts ? sendLive(runtime.live(tenantId, id, texts.signal), chosen, pace, send) : Promise.resolve();
    try {
      let left = chosen.limit;
      for await (const event of runtime.subscribe(tenantId, id, { after, signal })) {
        if (!matches(event, chosen)) continue;
        await pace();
        await send({ id: String(event.sequence), event: form.kindName(event), data: form.serialize(event) });
        if (--left <= 0) return;
      }
    } finally {
      texts.abort();
      await deltas;
    }
    const last = await execution();
    if (signal.aborted || !isTerminal(last.status)) return;
    const data = { execution_id: id, status: last.status, sequence: last.seq };
    await stream.send({ id: String(last.seq), event: 'end', data });
  });
}

/** What running attempts show, as messages without an id: a client that reconnects gets texts from their beginning, and the last progress. */
async function sendLive(
  updates: AsyncIterable<LiveUpdate>,
  { nodeId: chosen }: Selection,
  pace: () => Promise<void>,
  send: (message: StreamMessage) => Promise<void>,
): Promise<void> {
  for await (const update of updates) {
    const { executionId: execution_id, nodeId: node_id, activation, attempt, item } = update;
    if (chosen !== null && node_id !== chosen) continue;
    await pace();
    const visit = { execution_id, node_id, activation, attempt, ...(item === undefined ? {} : { item }) };
    if ('index' in update) await send({ event: 'delta', data: Object.assign(visit, { index: update.index, text: update.text }) });
    else await send({ event: 'progress', data: Object.assign(visit, update.progress) });
  }
}

function isTerminal(status: string): boolean {
  return (TERMINAL as ReadonlySet<string>).has(status);
}

/** The sequence in `Last-Event-ID`, which a reconnecting client sends; null if absent. */
function lastEventId({ headers }: FastifyRequest): number | null {
  const given = headers['last-event-id'];
  if (given === undefined || given === '') return null;
  if (typeof given !== 'string' || !/^\d{1,15}$/.test(given)) {
    throw new RuntimeError('bad_request', `Last-Event-ID must be a sequence number, not "${truncated(String(given))}"`);
  }
  return Number(given);
}
