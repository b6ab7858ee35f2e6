import type { Json, JsonObject } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import type { WorkContext } from '../../executors/executor.ts';

/** What a tool may know of its surroundings. */
export type ToolContext = WorkContext;

/** A function the operator registers. What it throws fails the attempt; `error.retryable === false` ends the attempts. */
export type Tool = (input: never, context: ToolContext) => unknown;

export type Tools = Readonly<Record<string, Tool>>;

export interface WorkItemView {
  readonly id: string;
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly workflow_version: string;
  readonly node_id: string;
  readonly queue_type: string;
  readonly payload: JsonObject;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly lease_fence: number;
  readonly lease_expires_at_ms: number;
}

export interface ClaimWork {
  readonly workerId: string;
  readonly queueTypes: readonly string[];
  /** Default 1. */
  readonly maxItems?: number;
  /** Long poll: how long to wait for the first item. Default 0. */
  readonly waitMs?: number;
  /** Ends the long poll early. */
  readonly signal?: AbortSignal;
}

export interface CompleteWork {
  readonly output: Json;
  /** RFC 7396; absent = what follows from the output, by the node's kind. */
  readonly statePatch?: Json;
  readonly durationMs?: number;
  /** The one of the claim: proves that the item is still the worker's. Absent or 0 = not checked. */
  readonly leaseFence?: number;
  /** Verified against the item when given. */
  readonly executionId?: string;
  readonly nodeId?: string;
  readonly usage?: Usage;
  /** Recorded as the one on whose behalf the caller acts; absent = the one that claimed it, when the fence is given. */
  readonly workerId?: string;
}

export interface FailWork {
  readonly error: string;
  /** Default true. False ends the attempts at once. */
  readonly retryable?: boolean;
  /** Compared with the retry policy's `retryable_on`. */
  readonly errorClass?: string;
  /** Of the HTTP response that it failed with: compared too. */
  readonly httpStatus?: number;
  /** As in `CompleteWork`. */
  readonly leaseFence?: number;
  readonly workerId?: string;
}

export interface WorkerView {
  readonly id: string;
  readonly kind: 'external' | 'runtime';
  readonly queue_types: readonly string[];
  readonly status: 'active' | 'idle';
  readonly first_seen_at_ms: number;
  readonly last_seen_at_ms: number;
  readonly in_flight: number;
  readonly claimed_total: number;
}

/** In-process attempts of a tenant, or of all, in one runtime. */
export interface InProcessView {
  readonly running: number;
  /** They wait for a slot. */
  readonly waiting: number;
  /** Since when the one that has waited longest does; null = none waits. */
  readonly oldest_waiting_since_ms: number | null;
}
