import { Type } from 'typebox';
import type { LoggedEvent } from '../../../store/port/resources/event-log.ts';
import { requestedFormat, requestedTypes } from '../requests/event-filter.ts';
import { type EventOutline, EventStreamQuery } from '../schemas/events.ts';
import { type Api, identityOf, type Services } from '../services.ts';
import { timestamp } from '../time.ts';

function outlineOf({ executionId, workflowId, seq, type, nodeId, atMs }: LoggedEvent, kind: string): EventOutline {
  return {
    execution_id: executionId,
    workflow_id: workflowId,
    sequence: seq,
    kind,
    type: type as EventOutline['type'],
    node_id: nodeId,
    created_at: timestamp(atMs),
  };
}

/** The events of all executions of a tenant, as server-sent events. */
export function eventStreamRoutes(app: Api, { control, streams, config }: Services): void {
  app.addHook('preClose', async () => streams.close());

  app.get(
    '/events/stream',
    {
      config: { access: 'read' },
      exposeHeadRoute: false,
      schema: {
        summary: 'Stream the events of all executions',
        description:
          'Server-sent events, from now on. Pass the `id` of the last one as `Last-Event-ID` or `after` to continue without a gap. `data` is an event with its `workflow_id`; with `brief`, without its data.',
        tags: ['Events'],
        operationId: 'streamEvents',
        querystring: EventStreamQuery,
        response: {
          200: { description: 'A stream of server-sent events.', content: { 'text/event-stream': { schema: Type.String() } } },
        },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const { workflow_id, after, format, brief = false } = request.query;
      const types: ReadonlySet<string> | null = requestedTypes(request.query);
      const form = requestedFormat(request, format, config.eventFormat);
      const resumed = request.headers['last-event-id'];
      const begun = typeof resumed === 'string' && resumed !== '' ? resumed : (after ?? null);
      const gone = new AbortController();
      const { cursor, events } = await control.live.follow(tenantId, {
        cursor: begun,
        filter: (entry) =>
          (types === null || types.has(entry.type)) && (workflow_id === undefined || workflow_id === entry.workflowId),
        brief,
        signal: gone.signal,
        pace: streams.turns(tenantId),
      });
      return streams.open(request, reply, async (stream, signal) => {
        signal.addEventListener('abort', () => gone.abort(), { once: true });
        if (signal.aborted) gone.abort();
        // A client that is disconnected before the first event can resume from this id.
        await stream.send({ id: cursor });
        for await (const { logged, event, cursor: id } of events) {
          const kind = form.kindName(logged);
          const data =
            event === null
              ? outlineOf(logged, kind)
              : Object.assign({}, form.serialize(event), { workflow_id: logged.workflowId });
          await stream.send({ id, event: kind, data });
        }
      });
    },
  );
}
