import type { EventType } from '../../../machines/events/index.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { Verbatim } from '../operations/codec.ts';
import { COORDINATOR } from '../operations/coordinator.ts';
import { acceptsTagged, requestedFormat } from '../requests/event-filter.ts';
import { executionId } from '../requests/ids.ts';
import { type EventsQuery, TAGGED_JSON } from '../schemas/events.ts';
import type { Services } from '../services.ts';
import { type Call, implement } from './implement.ts';

/** What coordinator nodes have found, scored and decided: views of the events of an execution. */
export const coordinatorRoutes = implement(COORDINATOR, {
  'GET /executions/:id/coordinator-decisions': async (call, services) => {
    const types = ['coordinator_discovery', 'coordinator_scoring', 'coordinator_decision'] as const;
    return { events: new Verbatim(await eventsOf(call, services, types, null)) };
  },

  'GET /executions/:id/nodes/:node_id/scoring': async (call, services) => {
    const { nodeId } = call.params;
    return { nodeId, scoring: await eventsOfNode(call, services, 'coordinator_scoring', 'scored') };
  },

  'GET /executions/:id/nodes/:node_id/reasoning': async (call, services) => {
    const { nodeId } = call.params;
    return { nodeId, decisions: await eventsOfNode(call, services, 'coordinator_decision', 'decided') };
  },
});

type CallFor<Params> = Pick<Call<Params, Pick<EventsQuery, 'format'>>, 'params' | 'query' | 'tenantId' | 'request' | 'reply'>;

async function eventsOfNode(
  call: CallFor<{ readonly id: string; readonly nodeId: string }>,
  services: Services,
  type: EventType,
  done: string,
): Promise<Verbatim> {
  const { nodeId } = call.params;
  const events = await eventsOf(call, services, [type], nodeId);
  if (events.length === 0)
    throw new RuntimeError('not_found', `node ${truncated(nodeId)}, which has ${done} on agents, not found`);
  return new Verbatim(events);
}

/** In order of the log, in the form that is asked for. The store finds events by their type. */
async function eventsOf(
  { params, query, tenantId, request, reply }: CallFor<{ readonly id: string }>,
  { runtime, config }: Services,
  types: readonly EventType[],
  nodeId: string | null,
): Promise<readonly unknown[]> {
  const form = requestedFormat(request, query.format, config.eventFormat);
  if (acceptsTagged(request) && form.tagged) void reply.type(TAGGED_JSON);
  const id = executionId(params.id);
  const found = [];
  for (const type of types)
    for await (const event of runtime.events(tenantId, id, { type, ...(nodeId === null ? {} : { nodeId }) })) found.push(event);
  return found.sort((a, b) => a.sequence - b.sequence).map((event) => form.serialize(event));
}
