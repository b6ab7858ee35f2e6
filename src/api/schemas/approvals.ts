import { type Static, Type } from 'typebox';
import { anyJson, anyObject, integer, listOf, nameOrEmpty, nullable, optional, text, timestamp } from './fields.ts';

export const Approve = Type.Object(
  {
    // Any text: the runtime refuses unknown decisions with an error that lists the known ones.
    decision: text('`approved` or `rejected`.', { maxLength: 64 }),
    node_id: optional(nameOrEmpty('Id of a node.'), 'Node whose approval is decided. May be left out if only one is pending.'),
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
    activation: integer('Visit to the node that awaits the decision: 1, 2, 3 …'),
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
