import { type Static, Type } from 'typebox';
import {
  anyJson,
  anyObject,
  appliedLimit,
  count,
  flag,
  integer,
  limit,
  listOf,
  name,
  nameOrEmpty,
  nullable,
  optional,
  text,
  timestamp,
} from '../schemas/fields.ts';
import { ExecutionById } from './executions.ts';
import type { Resource } from './operation.ts';

export const APPROVALS_PAGE = { defaultLimit: 50, maxLimit: 500 };

export const ApprovalsQuery = Type.Object({
  status: Type.Optional(
    Type.Enum(['pending', 'decided'] as const, {
      description: '`pending` (the default): those that await a decision; `decided`.',
    }),
  ),
  workflow_id: Type.Optional(name('Only approvals in executions of this workflow.')),
  include_state: Type.Optional(flag('`false` leaves out `state_for_review`, which may be large. Default true.')),
  limit: limit(APPROVALS_PAGE),
  cursor: Type.Optional(text('`next_cursor` of the previous page.', { maxLength: 128 })),
});
/** Which approvals are listed. */
export type ApprovalsQuery = Static<typeof ApprovalsQuery>;

export const ApprovalItem = Type.Object(
  {
    execution_id: text('Execution that awaits the decision.'),
    workflow_id: text('Workflow that it runs.'),
    node_id: text('Node that awaits the decision.'),
    activation: integer('Visit to the node that awaits the decision: 1, 2, 3 …'),
    item: Type.Optional(integer('Item of the list that the node works on, counted from 0; absent if it works on none.')),
    kind: Type.Enum(['human_approval', 'tool'] as const, {
      description: '`human_approval`: a node asks; `tool`: a policy or a limit requires approval before the node runs.',
    }),
    tool_name: text('Tool to be approved; `human_approval` if a node asks.'),
    message: text('The question: the message of the node, or which tool is about to run.'),
    context: anyObject('What the decision is about besides the message: of a tool, its node and the calls of a model.'),
    state_for_review: Type.Optional(
      nullable(
        anyObject('A state.'),
        'State that the person reviews; of a tool, the state of the execution now. Null if it is not known, absent with `include_state=false`.',
      ),
    ),
    sequence: integer('Sequence of the event that requested the decision.'),
    waiting_since: timestamp('When the decision was requested.'),
    expires_at: nullable(timestamp('A time.'), 'When the node stops waiting; null = never.'),
    status: Type.Enum(['pending', 'approved', 'rejected'] as const, { description: '`pending`, or the decision.' }),
    user_id: Type.Optional(text('Who decided: `on_behalf_of` if present, else `actor_id`. Absent if pending.')),
    actor_id: Type.Optional(text('Name of the token that sent the decision. Absent if pending.')),
    on_behalf_of: Type.Optional(text('Person for whom the caller decided, as the caller said; absent if not given.')),
    comment: Type.Optional(nullable(Type.String(), 'Comment given with the decision; null if there is none. Absent if pending.')),
    decided_at: Type.Optional(timestamp('When the decision was recorded. Absent if pending.')),
  },
  { description: 'An approval of any execution.' },
);
export type ApprovalItem = Static<typeof ApprovalItem>;

export const ApprovalList = Type.Object(
  {
    approvals: listOf(ApprovalItem, 'Pending ones that have waited longest first, decided ones newest first.'),
    limit: appliedLimit,
    next_cursor: nullable(Type.String(), 'Cursor of the next page; null if there is none.'),
  },
  { description: 'A page of approvals.' },
);
export type ApprovalList = Static<typeof ApprovalList>;

export const ApprovalCountsQuery = Type.Object({ workflow_id: ApprovalsQuery.properties.workflow_id });
/** Which approvals are counted. */
export type ApprovalCountsQuery = Static<typeof ApprovalCountsQuery>;

export const ApprovalCounts = Type.Object(
  { pending: integer('Number of approvals that await a decision.') },
  { description: 'How many approvals there are.' },
);
export type ApprovalCounts = Static<typeof ApprovalCounts>;

export const Approve = Type.Object(
  {
    // Any text: the runtime refuses unknown decisions with an error that lists the known ones.
    decision: text('`approved` or `rejected`.', { maxLength: 64 }),
    node_id: optional(nameOrEmpty('Id of a node.'), 'Node whose approval is decided. May be left out if only one is pending.'),
    item: Type.Optional(count('Item of the list that the node works on. May be left out if only one of them is pending.')),
    user_id: optional(
      nameOrEmpty('Name of a person.'),
      'Person on whose behalf the caller decides. Recorded beside the caller, who remains the actor. Default: the caller.',
    ),
    comment: optional(Type.String(), 'Why; kept with the decision.'),
    state_patch: Type.Optional(anyJson('JSON merge patch (RFC 7396), applied to the state with the decision.')),
  },
  { description: 'A decision on a pending approval.' },
);
export type Approve = Static<typeof Approve>;

export const AcceptedDecision = Type.Object(
  {
    execution_id: text('Id of the execution.'),
    node_id: text('Node whose approval was decided.'),
    accepted: Type.Literal(true, { description: 'The decision was recorded; true for a rejection too.' }),
  },
  { description: 'A recorded decision.' },
);
export type AcceptedDecision = Static<typeof AcceptedDecision>;

export const PendingApproval = Type.Object(
  {
    node_id: text('Node that awaits the decision.'),
    kind: Type.Enum(['human_approval', 'tool'] as const, {
      description: '`human_approval`: a node of that kind; `tool`: a policy requires approval before the node runs.',
    }),
    tool_name: text('Tool to be approved; `human_approval` for a node of that kind.'),
    approver: text('Who decides: `human`.'),
    context: anyObject('What the decision is about: the description and the deadline, or the node.'),
    input: Type.Optional(
      anyJson(
        'With kind `tool`: what the node would be given, from the state as it is now; variables of the environment are null. Absent if its workflow names no input, or if it is longer than 64 KiB.',
      ),
    ),
    activation: integer('Visit to the node that awaits the decision: 1, 2, 3 …'),
    item: Type.Optional(integer('Item of the list that the node works on, counted from 0; absent if it works on none.')),
    sequence: integer('Sequence of the event that requested the decision.'),
    requested_at: timestamp('When the decision was requested.'),
  },
  { description: 'An approval that awaits a decision.' },
);

export const DecidedApproval = Type.Object(
  {
    node_id: text('Node whose approval was decided.'),
    status: Type.Enum(['approved', 'rejected'] as const, { description: 'The decision.' }),
    user_id: text('Who decided: `on_behalf_of` if present, else `actor_id`.'),
    actor_id: text('Name of the token that sent the decision.'),
    on_behalf_of: Type.Optional(text('Person for whom the caller decided, as the caller said; absent if not given.')),
    comment: nullable(Type.String(), 'Comment given with the decision; null if there is none.'),
    sequence: integer('Sequence of the `approval_received` event.'),
    decided_at: timestamp('When the decision was recorded.'),
  },
  { description: 'An approval that was decided.' },
);

export const Approvals = Type.Object(
  {
    pending: listOf(PendingApproval, 'Approvals that await a decision.'),
    decided: listOf(DecidedApproval, 'Approvals that were decided, in the order of the log.'),
  },
  { description: 'The approvals of an execution.' },
);
export type Approvals = Static<typeof Approvals>;

export const APPROVALS = {
  tag: 'Approvals',
  operations: {
    'POST /executions/:id/approve': {
      id: 'approveExecution',
      access: 'write',
      reducesLoad: { decision: ['rejected'] },
      summary: 'Decide a pending approval',
      description: '`node_id` may be left out if only one approval is pending; with several it is a 400.',
      params: ExecutionById,
      body: Approve,
      reply: AcceptedDecision,
    },
    'GET /approvals': {
      id: 'listAllApprovals',
      access: 'read',
      summary: 'List the approvals of all executions',
      description: 'Pending ones that have waited longest first; with `status=decided`, the last decisions first.',
      query: ApprovalsQuery,
      reply: ApprovalList,
    },
    'GET /approvals/counts': {
      id: 'countApprovals',
      access: 'read',
      summary: 'Count the approvals of all executions',
      description: 'How many await a decision.',
      query: ApprovalCountsQuery,
      reply: ApprovalCounts,
    },
    'GET /executions/:id/approvals': {
      id: 'listApprovals',
      access: 'read',
      summary: 'List the approvals of an execution',
      params: ExecutionById,
      reply: Approvals,
    },
  },
} satisfies Resource;
