import { type Static, Type } from 'typebox';
import { usage } from '../../../machines/events/fields.ts';
import { AppendedList, EvaluatedCondition } from '../../../machines/events/node.ts';
import { ATTEMPT_STATUSES, VISIT_STATUSES } from '../../../machines/history/node-visit.ts';
import { anyJson, anyObject, count, flag, integer, limit, listOf, nullable, text, timestamp } from '../schemas/fields.ts';
import type { Resource } from './operation.ts';

/** Items of a list in one reply. */
export const MAX_ITEMS = 100;
export const VISITS_PAGE = { defaultLimit: 20, maxLimit: 100 };

export const NodeById = Type.Object({
  id: text('Id of the execution: `exec_` and 32 hex digits, or the same as a UUID.'),
  node_id: text('Id of the node.'),
});

export const NodeQuery = Type.Object({
  limit: limit(VISITS_PAGE),
  before: Type.Optional(count('Only visits before this one, by its `activation`. Default: up to the last.')),
  item: Type.Optional(
    count('Of a node that works on a list: the item, counted from 0, whose attempts the visits have in place of their own.'),
  ),
  status: Type.Optional(Type.Enum(VISIT_STATUSES, { description: 'Only items with this status.' })),
  after_item: Type.Optional(count('Only items after this one. Default: from the first.')),
});
/** Which visits of a node are read. */
export type NodeQuery = Static<typeof NodeQuery>;

const absent = Type.Optional;

const Usage = Type.Object(
  {
    ...usage,
    usage_refused: absent(
      anyObject(
        'What was reported beyond the limits of a call, and those limits; it counts neither for budgets nor for the month.',
      ),
    ),
  },
  { description: 'What an attempt used, as its worker reported it.' },
);

const Attempt = Type.Object(
  {
    attempt: integer('Number of the attempt in its visit, counted from 0.'),
    status: Type.Enum(ATTEMPT_STATUSES, {
      description:
        '`waiting`: for a person, an event, a time or a child execution. `held`: awaits an approval that a policy requires.',
    }),
    queued_at: nullable(timestamp('Time.'), 'When it was queued; null for nodes that do no work.'),
    started_at: nullable(timestamp('Time.'), 'When it began; null = it has not.'),
    completed_at: nullable(timestamp('Time.'), 'When it ended; null = it has not.'),
    duration_ms: nullable(Type.Number(), 'Milliseconds it took, as its worker measured them; null until it has ended.'),
    input: absent(anyJson('What it was given. Absent: nothing, or it is not recorded, or it was the whole state.')),
    input_from: absent(Type.Literal('state', { description: 'The input was the whole state, which is too large to repeat.' })),
    input_sequence: absent(integer('Sequence at which that state can be read: `GET /executions/:id/state?at=`.')),
    input_omitted: absent(flag('True if the input is not recorded: it is too large, or the data policy does not retain it.')),
    output: absent(anyJson('Its result; absent until there is one.')),
    state_patch: absent(anyJson('JSON merge patch that was applied to the state; absent if it is the output.')),
    appended: absent(
      Type.Record(Type.String(), AppendedList, {
        description:
          'Lists of which `state_patch` has only the items that the state did not have before, by JSON pointer into the patch: messages of a conversation.',
      }),
    ),
    error: absent(text('What went wrong; absent unless it failed.')),
    error_name: absent(text('Name of the error, e.g. `TypeError`.')),
    error_class: absent(text('Class of the error, which retry policies name.')),
    http_status: absent(integer('Status of the HTTP response with which it failed.')),
    stack: absent(text('Frames of the stack, one per line, the innermost first.')),
    cause: absent(anyJson('The error that caused it: `{name?, message, stack?, cause?, errors?}`.')),
    errors: absent(anyJson('All errors of an `AggregateError`, in the same form; the first 10.')),
    retryable: absent(flag('Whether another attempt follows; absent unless it failed.')),
    next_attempt_at: absent(timestamp('When the next attempt is queued.')),
    usage: nullable(Usage, 'What it used; null if nothing was reported.'),
    worker_id: nullable(Type.String(), 'Worker or runtime that did the work; null if it has not begun, or none did.'),
    queue: absent(text('Queue of work for external workers.')),
    child_execution_id: absent(text('Child execution that it started.')),
    redacted: absent(flag('True if personal data was replaced, as the data policy says; absent otherwise.')),
  },
  { description: 'An attempt. Nodes that do no work have one per visit.' },
);

const Decision = Type.Object(
  {
    decision: text('`approved` or `rejected`.'),
    user_id: text('Who decided.'),
    comment: nullable(Type.String(), 'Comment given with the decision; null if there is none.'),
    decided_at: timestamp('When it was recorded.'),
  },
  { description: 'A decision of a person.' },
);

const Visit = Type.Object(
  {
    activation: integer('Number of the visit: 1, 2, 3 …; 0 for work that was enqueued beside the workflow.'),
    status: Type.Enum(VISIT_STATUSES, { description: 'As of the last attempt. `retrying`: the next attempt is scheduled.' }),
    reason: absent(text('Why it was skipped; absent otherwise.')),
    attempts: listOf(Attempt, 'Oldest first, the last 100.'),
    attempts_total: integer('Number of attempts.'),
    question: absent(text('What a person is asked, or was.')),
    decisions: absent(listOf(Decision, 'Decisions of people; absent if there are none.')),
    blocked_by: absent(text('Rule of the policy that blocked it; absent otherwise.')),
    taken: absent(
      listOf(Type.String(), 'Targets of the edges that were followed; absent until the visit has ended, and if there are none.'),
    ),
    items: absent(
      Type.Object(
        {
          total: integer('Items of the list.'),
          succeeded: integer('Items with a result.'),
          failed: integer('Items that failed for good.'),
          cancelled: integer('Items that were cancelled, or never began.'),
          open: integer('Items in progress.'),
        },
        { description: 'How far it is with its list; absent for nodes that work on none.' },
      ),
    ),
    evaluated: absent(
      listOf(EvaluatedCondition, 'Conditions that were evaluated, up to the first that held; absent if there are none.'),
    ),
  },
  { description: 'A visit to a node.' },
);

const Item = Type.Object(
  {
    item: integer('Its place in the list, counted from 0.'),
    status: Type.Enum(VISIT_STATUSES, { description: 'As of its last attempt. `retrying`: the next attempt is scheduled.' }),
    attempts: integer('Number of its attempts.'),
    error: absent(text('Error of the last attempt that failed; absent if none has.')),
    started_at: nullable(timestamp('Time.'), 'When its last attempt began; null = none has.'),
    completed_at: nullable(timestamp('Time.'), 'When it ended; null = it has not.'),
    duration_ms: nullable(Type.Number(), 'Milliseconds that the attempt took which succeeded; null until then.'),
    child_execution_id: absent(text('Child execution that it started.')),
  },
  { description: 'An item of the list that a node works on.' },
);

export const NodeDetail = Type.Object(
  {
    execution_id: text('Id of the execution.'),
    node_id: text('Id of the node.'),
    kind: text('Kind of the node.'),
    status: nullable(
      Type.Enum(VISIT_STATUSES, { description: 'Status.' }),
      'Status of the last visit; `held` also if an operator’s pause defers it. Null: it was not reached.',
    ),
    visits: listOf(Visit, 'The last ones, oldest first. Fewer if they would be larger than about 8 MiB.'),
    visits_total: integer('Number of visits, skipped ones included.'),
    items: absent(
      listOf(
        Item,
        `Items of the last visit that have begun, in the order of the list, ${MAX_ITEMS} at most; absent for other nodes.`,
      ),
    ),
    next_item: absent(nullable(Type.Integer(), '`after_item` of the next page of items; null if there is none.')),
  },
  { description: 'A node of an execution: its visits with their attempts.' },
);
export type NodeDetail = Static<typeof NodeDetail>;

export const NODES = {
  tag: 'Executions',
  operations: {
    'GET /executions/:id/nodes/:node_id': {
      id: 'getExecutionNode',
      access: 'read',
      summary: 'Get the visits to a node',
      description:
        'What the node was called with, gave back and used, for each visit and attempt, with the stack of each error and the edges that were followed. Made from the events of the node.',
      params: NodeById,
      query: NodeQuery,
      reply: NodeDetail,
    },
  },
} satisfies Resource;
