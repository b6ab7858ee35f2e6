import { type Static, Type } from 'typebox';
import { AnyJson, AnyObject, Name, NameOrEmpty, optional, Timestamp, WaitMs } from './fields.ts';

const Fence = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Tokens = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const EnqueueWork = Type.Object({
  execution_id: Name,
  node_id: Name,
  queue_type: optional(Name),
  payload: Type.Optional(AnyJson),
});
export type EnqueueWork = Static<typeof EnqueueWork>;

export const EnqueuedWork = Type.Object({ work_item_id: Type.String() });
export type EnqueuedWork = Static<typeof EnqueuedWork>;

export const ClaimWork = Type.Object({
  worker_id: Name,
  queue_types: Type.Array(Name, { maxItems: 64 }),
  max_items: optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  /** Long poll: how long to wait for the first item. */
  wait_ms: optional(WaitMs),
});
export type ClaimWork = Static<typeof ClaimWork>;

export const WorkItem = Type.Object({
  id: Type.String(),
  execution_id: Type.String(),
  workflow_id: Type.String(),
  workflow_version: Type.String(),
  node_id: Type.String(),
  queue_type: Type.String(),
  payload: AnyObject,
  /** 0-based. */
  attempt: Type.Integer(),
  max_attempts: Type.Integer(),
  /** Proves the claim; goes back with complete, fail and heartbeat. */
  lease_fence: Type.Integer(),
  lease_expires_at: Timestamp,
});
export type WorkItem = Static<typeof WorkItem>;

export const ClaimedWork = Type.Object({
  claimed: Type.Boolean(),
  /** The first of `work_items`. */
  work_item: Type.Optional(WorkItem),
  work_items: Type.Optional(Type.Array(WorkItem)),
});
export type ClaimedWork = Static<typeof ClaimedWork>;

export const CompleteWork = Type.Object({
  output: AnyJson,
  /** RFC 7396; absent = derived from the output. */
  state_patch: Type.Optional(AnyJson),
  execution_id: optional(NameOrEmpty),
  node_id: optional(NameOrEmpty),
  duration_ms: optional(Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  /** 0 or absent = settle whoever holds the item. */
  lease_fence: optional(Fence),
  gen_ai_system: optional(Type.String({ maxLength: 256 })),
  gen_ai_model: optional(Type.String({ maxLength: 256 })),
  input_tokens: optional(Tokens),
  output_tokens: optional(Tokens),
  finish_reason: optional(Type.String({ maxLength: 256 })),
  cost_usd: optional(Type.Number({ minimum: 0, maximum: 1e9 })),
  /** The worker that reports, recorded beside the caller; absent = the one that claimed the item, when its fence is given. */
  worker_id: optional(NameOrEmpty),
});
export type CompleteWork = Static<typeof CompleteWork>;

export const CompletedWork = Type.Object({ completed: Type.Literal(true), work_item_id: Type.String() });
export type CompletedWork = Static<typeof CompletedWork>;

export const FailWork = Type.Object({
  error: Type.String(),
  /** Absent = true. */
  retryable: optional(Type.Boolean()),
  /** Matched against the retry policy's `retryable_on`. */
  error_class: optional(Type.String({ maxLength: 256 })),
  /** Of the HTTP response that the work failed with; matched against statuses in `retryable_on`. */
  http_status: optional(Type.Integer({ minimum: 100, maximum: 599 })),
  lease_fence: optional(Fence),
  /** As in `CompleteWork`. */
  worker_id: optional(NameOrEmpty),
});
export type FailWork = Static<typeof FailWork>;

export const FailedWork = Type.Object({ failed: Type.Literal(true), work_item_id: Type.String() });
export type FailedWork = Static<typeof FailedWork>;

export const Heartbeat = Type.Object({ worker_id: Name, lease_fence: optional(Fence) });
export type Heartbeat = Static<typeof Heartbeat>;

export const RenewedLease = Type.Object({
  renewed: Type.Literal(true),
  work_item_id: Type.String(),
  lease_expires_at: Timestamp,
});
export type RenewedLease = Static<typeof RenewedLease>;

/** A 409: the item is settled, or in other hands by now. One of the three flags is there, false. */
export const LostLease = Type.Object({
  completed: Type.Optional(Type.Literal(false)),
  failed: Type.Optional(Type.Literal(false)),
  renewed: Type.Optional(Type.Literal(false)),
  reason: Type.String(),
  error: Type.String(),
  code: Type.String(),
});
export type LostLease = Static<typeof LostLease>;
