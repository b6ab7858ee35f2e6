import { type Static, Type } from 'typebox';
import { Event, EventList, EventsQuery, TaggedEvent } from '../schemas/events.ts';
import { listOf, text } from '../schemas/fields.ts';
import { ExecutionById } from './executions.ts';
import type { Resource } from './operation.ts';

export const CoordinatorEventsQuery = Type.Pick(EventsQuery, ['format']);

export const NodeOfExecution = Type.Object({
  id: text('Id of the execution.'),
  node_id: text('Id of the coordinator node.'),
});

export const NodeScoring = Type.Object(
  { node_id: text('Id of the node.'), scoring: listOf(Event, 'Its events `coordinator_scoring`, oldest first.') },
  { description: 'How a coordinator node has scored agents.' },
);
export type NodeScoring = Static<typeof NodeScoring>;

export const NodeReasoning = Type.Object(
  { node_id: text('Id of the node.'), decisions: listOf(Event, 'Its events `coordinator_decision`, oldest first.') },
  { description: 'What a coordinator node has decided.' },
);
export type NodeReasoning = Static<typeof NodeReasoning>;

export const TaggedNodeScoring = Type.Object(
  { node_id: text('Id of the node.'), scoring: listOf(TaggedEvent, 'Its events `coordinator_scoring`, oldest first.') },
  { description: 'How a coordinator node has scored agents, in the tagged form.' },
);

export const TaggedNodeReasoning = Type.Object(
  { node_id: text('Id of the node.'), decisions: listOf(TaggedEvent, 'Its events `coordinator_decision`, oldest first.') },
  { description: 'What a coordinator node has decided, in the tagged form.' },
);

export const COORDINATOR = {
  tag: 'Events',
  operations: {
    'GET /executions/:id/coordinator-decisions': {
      id: 'listCoordinatorDecisions',
      access: 'read',
      summary: 'List what coordinator nodes have found, scored and decided',
      params: ExecutionById,
      query: CoordinatorEventsQuery,
      reply: EventList,
    },
    'GET /executions/:id/nodes/:node_id/scoring': {
      id: 'getCoordinatorScoring',
      access: 'read',
      summary: 'Get how a coordinator node has scored agents',
      params: NodeOfExecution,
      query: CoordinatorEventsQuery,
      reply: NodeScoring,
    },
    'GET /executions/:id/nodes/:node_id/reasoning': {
      id: 'getCoordinatorReasoning',
      access: 'read',
      summary: 'Get what a coordinator node has decided, and why',
      params: NodeOfExecution,
      query: CoordinatorEventsQuery,
      reply: NodeReasoning,
    },
  },
} satisfies Resource;
