import type { EventType } from '../../../machines/events/index.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { CoordinatorEventsQuery, NodeOfExecution, NodeReasoning, NodeScoring } from '../operations/coordinator.ts';
import { ExecutionById } from '../operations/executions.ts';
import { acceptsTagged, type EventFormat, requestedFormat } from '../requests/event-filter.ts';
import { executionId } from '../requests/ids.ts';
import { type Event, EventList, TAGGED_JSON } from '../schemas/events.ts';
import { type Api, identityOf, type Services } from '../services.ts';

const tags = ['Events'];

/** What coordinator nodes have found, scored and decided: views of the events of an execution. */
export function coordinatorRoutes(app: Api, { runtime, config }: Services): void {
  app.get(
    '/executions/:id/coordinator-decisions',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List what coordinator nodes have found, scored and decided',
        tags,
        operationId: 'listCoordinatorDecisions',
        params: ExecutionById,
        querystring: CoordinatorEventsQuery,
        response: { 200: EventList },
      },
    },
    async (request, reply) => {
      const form = requestedFormat(request, request.query.format, config.eventFormat);
      if (acceptsTagged(request) && form.tagged) void reply.type(TAGGED_JSON);
      const types = ['coordinator_discovery', 'coordinator_scoring', 'coordinator_decision'] as const;
      const id = executionId(request.params.id);
      return { events: await eventsOf(identityOf(request).tenantId, id, types, null, form) };
    },
  );

  app.get(
    '/executions/:id/nodes/:node_id/scoring',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Get how a coordinator node has scored agents',
        tags,
        operationId: 'getCoordinatorScoring',
        params: NodeOfExecution,
        querystring: CoordinatorEventsQuery,
        response: { 200: NodeScoring },
      },
    },
    async (request, reply) => {
      const { node_id } = request.params;
      const form = requestedFormat(request, request.query.format, config.eventFormat);
      if (acceptsTagged(request) && form.tagged) void reply.type(TAGGED_JSON);
      const id = executionId(request.params.id);
      const scoring = await eventsOf(identityOf(request).tenantId, id, ['coordinator_scoring'], node_id, form);
      if (scoring.length === 0) throw nothing(node_id, 'scored');
      return { node_id, scoring };
    },
  );

  app.get(
    '/executions/:id/nodes/:node_id/reasoning',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Get what a coordinator node has decided, and why',
        tags,
        operationId: 'getCoordinatorReasoning',
        params: NodeOfExecution,
        querystring: CoordinatorEventsQuery,
        response: { 200: NodeReasoning },
      },
    },
    async (request, reply) => {
      const { node_id } = request.params;
      const form = requestedFormat(request, request.query.format, config.eventFormat);
      if (acceptsTagged(request) && form.tagged) void reply.type(TAGGED_JSON);
      const id = executionId(request.params.id);
      const decisions = await eventsOf(identityOf(request).tenantId, id, ['coordinator_decision'], node_id, form);
      if (decisions.length === 0) throw nothing(node_id, 'decided');
      return { node_id, decisions };
    },
  );

  /** In order of the log. The store finds events by their type. */
  async function eventsOf(
    tenantId: string,
    id: string,
    types: readonly EventType[],
    nodeId: string | null,
    form: EventFormat,
  ): Promise<Event[]> {
    const found = [];
    for (const type of types)
      for await (const event of runtime.events(tenantId, id, { type, ...(nodeId === null ? {} : { nodeId }) })) found.push(event);
    return found.sort((a, b) => a.sequence - b.sequence).map((event) => form.serialize(event) as Event);
  }
}

function nothing(nodeId: string, what: string): RuntimeError {
  return new RuntimeError('not_found', `node ${truncated(nodeId)}, which has ${what} on agents, not found`);
}
