import type { TransitionCounts } from '../../../machines/views/transition-counts.ts';
import type { StoreErrorCode } from '../../../store/port/errors.ts';
import type { ControlChange } from '../../../store/port/notifications.ts';
import type { TenantRecord } from '../../../store/port/resources/tenants.ts';
import type { EventBus } from '../events.ts';
import type { TimeSlices } from '../scheduling/time-slices.ts';
import type { Caller } from './caller.ts';
import type { CancelSignal } from './cancel-signal.ts';
import type { ExecutionView, NodeView, StartRequest, StartResult } from './executions.ts';
import type { Runtime } from './runtime.ts';
import type { InProcessView } from './work.ts';

/** A commit of one execution. */
export interface CommitNotification {
  readonly tenantId: string;
  readonly executionId: string;
  /** The commit started the execution, or a retry continued it. */
  readonly began: boolean;
  readonly ended: boolean;
}

export interface ServerStartRequest extends StartRequest {
  /** Labels that say on whose account the execution runs, e.g. a cron job's. Clients cannot set them. */
  readonly systemLabels?: Readonly<Record<string, string>>;
}

/** What the API checks about tenants and their limits; the commands check the other limits themselves. */
export interface TenantAdmission {
  /**
   * Counts a request. Throws or rejects with `limit_exceeded_requests`, unless it is `exempt` from the limit. A promise only if the
   * store has to be read.
   */
  request(tenantId: string, exempt?: boolean): Promise<void> | null;
  /** Rejects with `limit_exceeded_storage`: for requests that add what is stored. A promise only if the store has to be read. */
  mayStore(tenantId: string): Promise<void> | null;
  /**
   * Call when this process has changed a tenant, with its new record if that is known. A change by another process counts within
   * five seconds; its policy and status as soon as its notification arrives.
   */
  changed(tenantId: string, record?: Pick<TenantRecord, 'status' | 'policy'>): void;
}

/** The work and memory of one runtime at a moment. */
export interface RuntimeLoad {
  /** Messages that wait for their commit. */
  readonly pendingMessages: number;
  readonly inProcess: InProcessView;
  /** The executions in memory, and how often one that got a message was among them since the start. */
  readonly executionCache: {
    readonly executions: number;
    readonly bytes: number;
    readonly hits: number;
    readonly misses: number;
  };
}

/** What stops an execution until someone gives it. */
export interface InputNeed {
  /** The execution itself, or the child execution that stops it. */
  readonly executionId: string;
  /** Nodes about which people are to decide. */
  readonly approvals: readonly string[];
  /** Keys of external events. */
  readonly events: readonly string[];
}

/** A runtime with what the server around it needs. Not part of the public library. */
export interface ServerRuntime extends Runtime {
  readonly tenants: TenantAdmission;
  /** For what takes long, on this thread. */
  readonly slices: TimeSlices;
  /** The error of this runtime's last heartbeat, at most 20 seconds ago; null = the store can be written. */
  readonly storeFault: StoreErrorCode | null;
  /**
   * By how many milliseconds this machine's clock was ahead of the database's at the last heartbeat; negative: behind, 0 = by
   * less than five seconds.
   */
  readonly clockAheadMs: number;
  /**
   * How many executions this runtime has found to be corrupt since it started: they ended as failed with an internal error, or
   * cannot be loaded. Each was reported to `onError`.
   */
  readonly corruptExecutions: number;
  /** Whether requests that add work are refused, whichever tenant sends them. */
  readonly isOverloaded: boolean;
  /** Messages that wait for their commit. */
  readonly pendingMessages: number;
  start(caller: Caller, request: ServerStartRequest): Promise<StartResult>;
  /** Null = nothing: the execution works, waits for time, is suspended, or has ended. */
  inputNeed(tenantId: string, id: string): Promise<InputNeed | null>;
  /** Waits like `settled`, but until the execution needs input or has ended. */
  answered(tenantId: string, id: string, waitMs?: number, signal?: CancelSignal): Promise<ExecutionView>;
  /** What the workflow of an execution says about a node, and how that stands. */
  node(tenantId: string, id: string, node: string): Promise<NodeView>;
  /**
   * 32 hex digits. `exec_` and these sort after the ids of all executions started here so far, and before those of all started
   * later.
   */
  idWatermark(): string;
  /**
   * How often the machine of an execution took each transition, up to the last step at or before a sequence. Replays its log; rejects with
   * `redacted` if that is not possible any more.
   */
  transitionCounts(tenantId: string, id: string, at: number): Promise<TransitionCounts>;
  /** The in-process attempts of this runtime, of one tenant or of all. */
  inProcess(tenantId?: string): InProcessView;
  /**
   * Calls `subscriber` after every commit of this runtime, in order, and when commits of other runtimes become known (null = some
   * may have been missed). Returns a function that ends that. A subscriber delays the next commit, so it must be quick.
   */
  onCommit(subscriber: (commit: CommitNotification | null) => void): () => void;
  /**
   * Calls `subscriber` when another process has changed the control plane (null = it may have). Returns a function that ends
   * that.
   */
  onControl(subscriber: (change: ControlChange | null) => void): () => void;
  /**
   * Subscribes to the events of this runtime, for telemetry; returns a function that ends that. A handler delays the next commit, so it
   * must be quick.
   */
  on: EventBus['on'];
  /** What this runtime has in progress and in memory. */
  load(): RuntimeLoad;
  /** Call when these executions were removed from the store: evicts them from memory. */
  forget(executionIds: readonly string[]): void;
}
