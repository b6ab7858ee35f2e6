import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { EVENT_TYPES, type EventType, pascalCase } from '../../../machines/events.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { EventView } from '../../runtime/types.ts';
import { isSdk } from '../dialects.ts';
import { idempotencyKey } from '../idempotency-key.ts';
import { eventId, executionId, shown } from '../ids.ts';
import { sendList } from '../json-list.ts';
import { AcceptedEvent, type Event, EventList, EventsQuery, SendEvent, type TaggedEvent } from '../schemas/events.ts';
import { given } from '../schemas/fields.ts';
import { type Api, callerOf, identityOf, type Services } from '../services.ts';
import { timestamp } from '../time.ts';

const MAX_WAIT_MS = 60_000;

const byId = Type.Object({ id: Type.String() });

interface Filter {
  readonly type?: string;
  readonly nodeId?: string;
}

export function eventRoutes(app: Api, services: Services): void {
  const { runtime, polls, config } = services;

  app.get(
    '/executions/:id/events',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Read the events of an execution',
        description:
          'The whole log without `limit`. `kind` is a name, or with `format=tagged` an object that its `type` tells apart.',
        tags: ['Events'],
        operationId: 'listEvents',
        params: byId,
        querystring: EventsQuery,
        response: { 200: EventList },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const { after, limit, type, node_id, wait_ms = 0 } = request.query;
      const id = executionId(request.params.id);
      const filter: Filter = { ...given('type', type === undefined ? null : eventType(type)), ...given('nodeId', node_id) };
      const write =
        (request.query.format ?? headerFormat(request) ?? (isSdk(request) ? 'tagged' : config.eventFormat)) === 'tagged'
          ? taggedEvent
          : seedEvent;
      if (wait_ms > 0) {
        await polls.during(reply, (signal) => nextEvent(services, tenantId, id, after ?? 0, filter, wait_ms, signal));
      }
      const page = { ...filter, ...given('after', after), ...given('limit', limit) };
      return sendList(reply, 'events', written(runtime.events(tenantId, id, page), write));
    },
  );

  // The second path is how some clients spell it.
  for (const [path, operationId] of [
    ['/executions/:id/external-event', 'sendExternalEvent'],
    ['/executions/:id/events', 'sendEvent'],
  ] as const) {
    app.post(
      path,
      {
        config: { access: 'write' },
        schema: {
          summary: 'Send an event from outside',
          description: 'It wakes the node that waits for its key, or is kept for the one that will.',
          tags: ['Events'],
          operationId,
          params: byId,
          body: SendEvent,
          response: { 200: AcceptedEvent },
        },
      },
      async (request) => {
        const id = executionId(request.params.id);
        const { correlation_key, payload, event_id } = request.body;
        const { matched, nodeId } = await runtime.sendEvent(callerOf(request), id, {
          key: correlation_key,
          payload,
          ...given('idempotencyKey', idempotencyKey(request.headers, event_id)),
        });
        return { execution_id: id, accepted: true as const, matched, buffered: !matched, node_id: nodeId };
      },
    );
  }
}

/** Resolves when there is an event of interest after `after`, when the execution has ended, or when the time is up. */
async function nextEvent(
  { runtime }: Services,
  tenantId: string,
  id: string,
  after: number,
  filter: Filter,
  waitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const until = new AbortController();
  const end = (): void => until.abort();
  const timer = setTimeout(end, Math.min(waitMs, MAX_WAIT_MS));
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    for await (const event of runtime.subscribe(tenantId, id, { after, signal: until.signal })) {
      if ((filter.type ?? event.type) === event.type && (filter.nodeId ?? event.nodeId) === event.nodeId) return;
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

async function* written(events: AsyncIterable<EventView>, write: (event: EventView) => object): AsyncGenerator<object> {
  for await (const event of events) yield write(event);
}

/** In either spelling; throws `RuntimeError` for a kind of event that is never written. */
function eventType(given: string): EventType {
  const type = EVENT_TYPES.find((known) => known === given || pascalCase(known) === given);
  if (type === undefined) throw new RuntimeError('bad_request', `unknown event type: ${shown(given)}`);
  return type;
}

function headerFormat({ headers }: FastifyRequest): 'seed' | 'tagged' | null {
  const format = headers['x-jamjet-events'];
  return format === 'tagged' || format === 'seed' ? format : null;
}

/** The fields of an event, its node among them. */
function fieldsOf(event: EventView): JsonObject {
  return event.nodeId === null ? event.data : { node_id: event.nodeId, ...event.data };
}

function seedEvent(event: EventView): Event {
  return {
    id: eventId(event.executionId, event.sequence),
    execution_id: event.executionId,
    sequence: event.sequence,
    kind: pascalCase(event.type),
    node_id: event.nodeId,
    created_at: timestamp(event.createdAtMs),
    type: event.type,
    data: fieldsOf(event),
  };
}

function taggedEvent(event: EventView): TaggedEvent {
  return {
    id: eventId(event.executionId, event.sequence),
    execution_id: event.executionId,
    sequence: event.sequence,
    kind: { type: event.type, ...fieldsOf(event) },
    kind_name: pascalCase(event.type),
    node_id: event.nodeId,
    created_at: timestamp(event.createdAtMs),
  };
}
