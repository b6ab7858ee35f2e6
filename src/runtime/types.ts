import type { Diagnostic } from '../../machines/diagnostics.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { Usage } from '../../machines/messages.ts';
import type { PendingApproval, Status } from '../../machines/run.ts';

/** Who asks: recorded with every event it causes. */
export interface Caller {
  readonly tenantId: string;
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  /** Of the HTTP request, when there is one. */
  readonly request?: { readonly id: string; readonly method: string; readonly path: string; readonly ip: string };
}

export interface ToolContext {
  /** Aborted on deadline, cancel, and when the runtime stops. */
  readonly signal: AbortSignal;
  readonly executionId: string;
  readonly nodeId: string;
  /** 0-based; durable before the function is called, higher after a crash. */
  readonly attempt: number;
  /** The same for every attempt of one visit to the node. */
  readonly idempotencyKey: string;
}

/** A function the operator registers. What it throws fails the attempt; `error.retryable === false` ends the attempts. */
export type Tool = (input: never, context: ToolContext) => unknown;
export type Tools = Readonly<Record<string, Tool>>;

export interface Registered {
  readonly workflow_id: string;
  readonly version: string;
  readonly revision: string;
  readonly warnings: readonly Diagnostic[];
}

export interface StartRequest {
  readonly workflowId: string;
  /** Absent = the most recently registered version. */
  readonly version?: string;
  readonly input?: Json;
  readonly labels?: Readonly<Record<string, string>>;
  readonly idempotencyKey?: string;
}

/** An execution as every client sees it, times in ms. `state` is the public state. */
export interface ExecutionView {
  readonly executionId: string;
  readonly tenantId: string;
  readonly workflowId: string;
  readonly workflowVersion: string;
  readonly revision: string;
  readonly status: Status;
  readonly state: JsonObject;
  readonly input: Json;
  readonly error: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly stepsExecuted: number;
  readonly sequence: number;
  readonly parentExecutionId: string | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly completedAtMs: number | null;
}

/** List item: no state, no input. */
export type ExecutionSummary = Omit<ExecutionView, 'state' | 'input'>;

export interface EventView {
  readonly executionId: string;
  readonly sequence: number;
  /** snake_case. */
  readonly type: string;
  readonly nodeId: string | null;
  readonly data: JsonObject;
  readonly createdAtMs: number;
  readonly actorId: string;
}

export interface ApprovalsView {
  readonly pending: readonly PendingApproval[];
  readonly decided: readonly {
    readonly node_id: string;
    readonly status: 'approved' | 'rejected';
    readonly user_id: string;
    readonly comment: string | null;
    readonly sequence: number;
    readonly decided_at_ms: number;
  }[];
}

export interface Decision {
  readonly decision: string;
  readonly nodeId?: string;
  /** Absent = the caller's name. */
  readonly userId?: string;
  readonly comment?: string;
  readonly statePatch?: Json;
}

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
  readonly statePatch?: Json;
  readonly durationMs?: number;
  readonly leaseFence?: number;
  /** Verified against the item when given. */
  readonly executionId?: string;
  readonly nodeId?: string;
  readonly usage?: Usage;
}

export interface FailWork {
  readonly error: string;
  readonly retryable?: boolean;
  readonly errorClass?: string;
  readonly leaseFence?: number;
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

/** The durable execution runtime, without HTTP. Errors are `RuntimeError` with a stable code. */
export interface Runtime {
  readonly id: string;
  /** Validates, compiles and stores a document, in any accepted spelling. Throws `InvalidWorkflow`. */
  register(caller: Caller, document: unknown): Promise<Registered>;
  /** Durable once it resolves. `replayed`: an earlier request with the same idempotency key made it. */
  start(caller: Caller, request: StartRequest): Promise<{ readonly executionId: string; readonly replayed: boolean }>;
  execution(tenantId: string, id: string): Promise<ExecutionView>;
  executions(
    tenantId: string,
    filter: {
      readonly status?: Status;
      readonly workflowId?: string;
      readonly parentId?: string;
      readonly limit: number;
      readonly offset: number;
    },
  ): Promise<readonly ExecutionSummary[]>;
  /** Resolves when terminal or paused, at the latest after `waitMs`. */
  settled(tenantId: string, id: string, waitMs: number, signal?: AbortSignal): Promise<ExecutionView>;
  /** The log, in pages read as the consumer asks for them. */
  events(
    tenantId: string,
    id: string,
    page?: { readonly after?: number; readonly limit?: number; readonly type?: string; readonly nodeId?: string },
  ): AsyncIterable<EventView>;
  /** Backlog after `after`, then live, until the execution has ended or the signal aborts. Gapless. */
  subscribe(
    tenantId: string,
    id: string,
    options?: { readonly after?: number; readonly signal?: AbortSignal },
  ): AsyncIterable<EventView>;
  cancel(caller: Caller, id: string, reason?: string): Promise<void>;
  approve(caller: Caller, id: string, decision: Decision): Promise<{ readonly nodeId: string }>;
  approvals(tenantId: string, id: string): Promise<ApprovalsView>;
  sendEvent(
    caller: Caller,
    id: string,
    event: { readonly key: string; readonly payload: Json; readonly idempotencyKey?: string },
  ): Promise<{ readonly matched: boolean; readonly nodeId: string | null }>;
  claim(caller: Caller, claim: ClaimWork): Promise<readonly WorkItemView[]>;
  complete(caller: Caller, workItemId: string, result: CompleteWork): Promise<void>;
  fail(caller: Caller, workItemId: string, failure: FailWork): Promise<void>;
  heartbeat(
    caller: Caller,
    workItemId: string,
    lease: { readonly workerId: string; readonly leaseFence: number },
  ): Promise<{ readonly leaseExpiresAtMs: number }>;
  /** An item outside any activation: claimable, its patch merged, never routed (POST /work-items). */
  enqueue(
    caller: Caller,
    item: { readonly executionId: string; readonly nodeId: string; readonly queueType: string; readonly payload: Json },
  ): Promise<{ readonly workItemId: string }>;
  workers(tenantId: string): Promise<readonly WorkerView[]>;
  /** Refuses new work, lets in-process work finish for at most `graceMs`, then aborts it and hands it back. */
  close(graceMs?: number): Promise<void>;
}
