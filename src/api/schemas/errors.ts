import { type Static, Type } from 'typebox';

/** A problem of a workflow: errors refuse it, warnings come with its registration. */
export const Diagnostic = Type.Object({
  severity: Type.Enum(['error', 'warning'] as const),
  /** Stable, snake_case. */
  code: Type.String(),
  /** Null = the workflow as a whole. */
  node_id: Type.Union([Type.String(), Type.Null()]),
  /** Of the key inside the document: `nodes.review.kind.timeout_secs`. */
  path: Type.Union([Type.String(), Type.Null()]),
  message: Type.String(),
  /** What to do about it. */
  hint: Type.Union([Type.String(), Type.Null()]),
});

/** Where a log and a version of its workflow part. */
export const Mismatch = Type.Object({
  /** Of the event that the version would not have written. */
  sequence: Type.Integer(),
  /** Null when the log ends there. */
  type: Type.Union([Type.String(), Type.Null()]),
  node_id: Type.Union([Type.String(), Type.Null()]),
  problem: Type.String(),
});
export type Mismatch = Static<typeof Mismatch>;

/** A decision that a person made before the point of a fork. */
export const PastDecision = Type.Object({
  /** The descendant of the origin in which it was made; absent = the origin itself. */
  execution_id: Type.Optional(Type.String()),
  node_id: Type.String(),
  /** Of its `approval_received`. */
  sequence: Type.Integer(),
  decision: Type.Enum(['approved', 'rejected'] as const),
  /** As the decision says; `actor_id` is who sent it. */
  user_id: Type.String(),
  actor_id: Type.String(),
  /** What that person was shown would not be the same under the patched state. */
  would_change: Type.Boolean(),
  /** The last sequence of the origin from which a fork is free of the decision. */
  last_free_sequence: Type.Integer(),
});
export type PastDecision = Static<typeof PastDecision>;

/** What every refused request gets. */
export const ApiErrorBody = Type.Object({
  /** For people: a class (`bad request`, `not found`, `conflict` …) and what is wrong. */
  error: Type.String(),
  /** For programs: stable. */
  code: Type.String(),
  /** The lowest role that would do (403 only). */
  required: Type.Optional(Type.String()),
  /** What is wrong with a workflow: the first hundred problems. */
  diagnostics: Type.Optional(Type.Array(Diagnostic)),
  /** Why a fork would not fit the version asked for (`does_not_fit` only). */
  mismatch: Type.Optional(Mismatch),
  /** What people decided on something else than the patched state of a fork (`decision_would_change` only). */
  decisions: Type.Optional(Type.Array(PastDecision)),
});
export type ApiErrorBody = Static<typeof ApiErrorBody>;
