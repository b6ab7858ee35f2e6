import { type Static, Type } from 'typebox';
import { AnyJson, AnyObject, NameOrEmpty, optional, Timestamp } from './fields.ts';

export const Approve = Type.Object({
  /** `approved` or `rejected`; anything else is refused by the runtime with its own text. */
  decision: Type.String({ maxLength: 64 }),
  /** May be left out when exactly one approval is open. */
  node_id: optional(NameOrEmpty),
  /** For whom the caller decides, as it says: recorded beside the caller, who is the actor. Absent = for itself. */
  user_id: optional(NameOrEmpty),
  comment: optional(Type.String()),
  /** RFC 7396 patch to the state. */
  state_patch: Type.Optional(AnyJson),
});
export type Approve = Static<typeof Approve>;

export const AcceptedDecision = Type.Object({
  execution_id: Type.String(),
  node_id: Type.String(),
  /** True for a rejection too: the decision was taken. */
  accepted: Type.Literal(true),
});
export type AcceptedDecision = Static<typeof AcceptedDecision>;

const PendingApproval = Type.Object({
  node_id: Type.String(),
  kind: Type.Enum(['human_approval', 'tool'] as const),
  tool_name: Type.String(),
  approver: Type.String(),
  context: AnyObject,
  activation: Type.Integer(),
  /** Of the event that asked. */
  sequence: Type.Integer(),
  requested_at: Timestamp,
});

const DecidedApproval = Type.Object({
  node_id: Type.String(),
  status: Type.Enum(['approved', 'rejected'] as const),
  /** `on_behalf_of` if there is one, else `actor_id`. */
  user_id: Type.String(),
  /** Who decided: the name of the token. */
  actor_id: Type.String(),
  /** For whom, as the caller said. */
  on_behalf_of: Type.Optional(Type.String()),
  comment: Type.Union([Type.String(), Type.Null()]),
  sequence: Type.Integer(),
  decided_at: Timestamp,
});

export const Approvals = Type.Object({
  pending: Type.Array(PendingApproval),
  decided: Type.Array(DecidedApproval),
});
export type Approvals = Static<typeof Approvals>;
