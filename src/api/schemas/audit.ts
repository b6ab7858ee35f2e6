import { type Static, Type } from 'typebox';
import { AnyObject, Limit, Offset, Timestamp } from './fields.ts';

const Filter = Type.String({ minLength: 1, maxLength: 256 });

export const AuditQuery = Type.Object({
  execution_id: Type.Optional(Filter),
  /** Who acted, or on whose behalf. */
  actor_id: Type.Optional(Filter),
  /** snake_case or PascalCase. */
  event_type: Type.Optional(Filter),
  /** A date, or a date and time with its zone. Itself included. */
  from: Type.Optional(Type.String({ maxLength: 64 })),
  /** Itself excluded. */
  to: Type.Optional(Type.String({ maxLength: 64 })),
  limit: Type.Optional(Limit),
  offset: Type.Optional(Offset),
  /** `next_cursor` of the page before, in place of an offset. */
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
});
export type AuditQuery = Static<typeof AuditQuery>;

export const AuditItem = Type.Object({
  id: Type.String(),
  event_id: Type.String(),
  /** Null for what was done to the control plane. */
  execution_id: Type.Union([Type.String(), Type.Null()]),
  /** In the log of the execution, or of the tenant's control plane. */
  sequence: Type.Integer(),
  /** snake_case. */
  event_type: Type.String(),
  actor_id: Type.String(),
  actor_type: Type.Enum(['human', 'agent', 'system'] as const),
  /** Id and role of the token that acted, when one did: names of tokens may repeat. */
  actor_token_id: Type.Optional(Type.String()),
  actor_role: Type.Optional(Type.String()),
  /** For whom the actor said that it acted: a `user_id` or `worker_id` of the request, which nothing proves. */
  on_behalf_of: Type.Optional(Type.String()),
  created_at: Timestamp,
  /** `type` and the fields of the event. */
  raw_event: AnyObject,
  /** Under `/api/v1` also as the models of Java clients name them: the fields of `raw_event`, its node, `created_at`. */
  payload: Type.Optional(AnyObject),
  node_id: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  timestamp: Type.Optional(Timestamp),
  tenant_id: Type.String(),
  redacted: Type.Boolean(),
  /** What was decided, for events of policies and budgets. */
  policy_decision: Type.Optional(Type.String()),
  /** SHA-256 of `<tool>:<its call as JSON>`, for calls of tools. */
  tool_call_hash: Type.Optional(Type.String()),
  /** The request that caused it, when one did. */
  http_request_id: Type.Optional(Type.String()),
  http_method: Type.Optional(Type.String()),
  http_path: Type.Optional(Type.String()),
  ip_address: Type.Optional(Type.String()),
});
export type AuditItem = Static<typeof AuditItem>;

export const AuditList = Type.Object({
  /** Newest first. */
  items: Type.Array(AuditItem),
  /** Everything that matches, whatever the page. */
  total: Type.Integer(),
  limit: Type.Integer(),
  offset: Type.Integer(),
  /** Null on the last page. */
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});
export type AuditList = Static<typeof AuditList>;

export const AuditFault = Type.Object({
  /** The writer whose chain it is in; absent where there is but one chain. */
  chain: Type.Optional(Type.String()),
  /** Number of the first bad block, in its chain. */
  block: Type.Integer(),
  reason: Type.Enum(['missing_block', 'block_hash', 'signature', 'stream_digest', 'unsealed_rows', 'snapshot'] as const),
  /** Whose rows were changed, for `stream_digest`: null when that is another tenant's business. */
  tenant_id: Type.Union([Type.String(), Type.Null()]),
  execution_id: Type.Union([Type.String(), Type.Null()]),
});
export type AuditFault = Static<typeof AuditFault>;

/** Blocks without a signature, where the server has a key: written without it, or stripped of their signatures. */
export const UnsignedBlocks = Type.Object({
  blocks: Type.Integer(),
  /** Blocks that follow each other; the first twenty ranges. */
  ranges: Type.Array(Type.Object({ chain: Type.Optional(Type.String()), from: Type.Integer(), to: Type.Integer() })),
});
export type UnsignedBlocks = Static<typeof UnsignedBlocks>;

export const AuditVerification = Type.Object({
  /** Everything is as it was written, and signed where the server has a key. */
  ok: Type.Boolean(),
  /** Sound blocks, from the beginning. */
  blocks: Type.Integer(),
  /** Hash of the last sound block, or of those of all chains. */
  head: Type.String(),
  fault: Type.Union([AuditFault, Type.Null()]),
  unsigned: Type.Optional(UnsignedBlocks),
});
export type AuditVerification = Static<typeof AuditVerification>;

export const AuditExportQuery = Type.Object({
  /** Only from this block of the chain on; default the first. */
  from_block: Type.Optional(Limit),
});
export type AuditExportQuery = Static<typeof AuditExportQuery>;
