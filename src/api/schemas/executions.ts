import { type Static, Type } from 'typebox';
import type { Status } from '../../../machines/run.ts';
import { AnyJson, AnyObject, ExecutionLabels, Limit, Name, NameOrEmpty, Offset, optional, Timestamp, WaitMs } from './fields.ts';

/** `pending` is part of the contract, though no execution here ever stays in it. */
export const STATUSES = [
  'pending',
  'running',
  'paused',
  'completed',
  'failed',
  'cancelled',
  'limit_exceeded',
] as const satisfies readonly (Status | 'pending')[];

export const StartExecution = Type.Object({
  workflow_id: Name,
  /** Absent = the version registered last. */
  workflow_version: optional(NameOrEmpty),
  /** Absent = {}. */
  input: Type.Optional(AnyJson),
  labels: optional(ExecutionLabels),
});
export type StartExecution = Static<typeof StartExecution>;

export const StartedExecution = Type.Object({ execution_id: Type.String() });
export type StartedExecution = Static<typeof StartedExecution>;

const Text = Type.String({ maxLength: 2048 });
const OneOrSeveral = Type.Union([Text, Type.Array(Text, { maxItems: 64 })]);

/** Which executions are meant: all of what is given must hold. */
export const ExecutionConditions = Type.Object({
  /** Any of these, as a list or separated by commas. */
  status: Type.Optional(OneOrSeveral),
  workflow_id: Type.Optional(Name),
  /** Only with `workflow_id`. */
  workflow_version: Type.Optional(Name),
  /** `key:value`, or `key` for any value; several must all hold. */
  label: Type.Optional(OneOrSeveral),
  /** RFC 3339: started then or later. */
  created_after: Type.Optional(Timestamp),
  /** RFC 3339: started before. */
  created_before: Type.Optional(Timestamp),
  parent_execution_id: Type.Optional(Name),
});
export type ExecutionConditions = Static<typeof ExecutionConditions>;

export const ExecutionsQuery = Type.Object({
  ...ExecutionConditions.properties,
  limit: Type.Optional(Limit),
  offset: Type.Optional(Offset),
  /** `next_cursor` of an earlier page; not together with `offset`. */
  cursor: Type.Optional(Type.String({ maxLength: 64 })),
  include: Type.Optional(Type.Literal('state')),
});
export type ExecutionsQuery = Static<typeof ExecutionsQuery>;

/** Where a fork began: the execution whose log it goes on from, and the sequence of the last event they have in common. */
export const ForkedFrom = Type.Object({ execution_id: Type.String(), sequence: Type.Integer() });
export type ForkedFrom = Static<typeof ForkedFrom>;

/** An execution without its state and input: what a list holds. */
export const ExecutionItem = Type.Object({
  execution_id: Type.String(),
  /** The same as `execution_id`. */
  id: Type.String(),
  tenant_id: Type.String(),
  workflow_id: Type.String(),
  workflow_version: Type.String(),
  /** SHA-256 of the definition this execution is pinned to. */
  revision: Type.String(),
  status: Type.Unsafe<Status>({ type: 'string', enum: STATUSES }),
  labels: Type.Record(Type.String(), Type.String()),
  /** Completed nodes; skipped ones do not count. */
  steps_executed: Type.Integer(),
  /** Of its last event. */
  sequence: Type.Integer(),
  segment_number: Type.Integer(),
  created_at: Timestamp,
  /** The same as `created_at`. */
  started_at: Timestamp,
  updated_at: Timestamp,
  /** Null until the execution has ended. */
  completed_at: Type.Union([Timestamp, Type.Null()]),
  parent_execution_id: Type.Optional(Type.String()),
  /** Only of a fork. */
  forked_from: Type.Optional(ForkedFrom),
  /** Why it failed or was cancelled. */
  error: Type.Optional(Type.String()),
  /** The same as `error`. */
  detail: Type.Optional(Type.String()),
  /** Only in a list asked with `?include=state`. */
  state: Type.Optional(AnyObject),
  /** Only in a list for an SDK. */
  current_state: Type.Optional(AnyObject),
  initial_input: Type.Optional(AnyJson),
});
export type ExecutionItem = Static<typeof ExecutionItem>;

export const ExecutionList = Type.Object({
  executions: Type.Array(ExecutionItem),
  limit: Type.Integer(),
  offset: Type.Integer(),
  /** Where the next page begins; null = there is no more. A page may be shorter than `limit` before that. */
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});
export type ExecutionList = Static<typeof ExecutionList>;

export const ExecutionQuery = Type.Object({ wait_ms: Type.Optional(WaitMs) });

export const Execution = Type.Object({
  ...ExecutionItem.properties,
  state: AnyObject,
  /** The same as `state`. */
  current_state: AnyObject,
  input: AnyJson,
  /** The same as `input`. */
  initial_input: AnyJson,
  /** An operator holds it: `paused` whatever it waits for, until it is resumed. Only present then. */
  held: Type.Optional(Type.Literal(true)),
  /** Why, if the operator said so. */
  held_reason: Type.Optional(Type.String()),
  /** The final state, once completed. */
  output: Type.Optional(AnyObject),
});
export type Execution = Static<typeof Execution>;

/** The body may be missing altogether. */
export const CancelExecution = Type.Object({ reason: optional(Type.String({ maxLength: 1024 })) });
export type CancelExecution = Static<typeof CancelExecution>;

export const CancelledExecution = Type.Object({
  execution_id: Type.String(),
  status: Type.Literal('cancelled'),
});
export type CancelledExecution = Static<typeof CancelledExecution>;
