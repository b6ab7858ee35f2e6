import type { Diagnostic } from '../../../machines/diagnostics.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import type { PendingApproval, Status } from '../../../machines/run.ts';

export interface RegisteredWorkflow {
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
  /** None may begin with `jamjet.`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What says on whose account the execution runs, e.g. a cron job's: never a client's own words for a label's name. */
  readonly systemLabels?: Readonly<Record<string, string>>;
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
  /** The execution whose log this one goes on from, and where; null = it began by itself. */
  readonly forkedFrom: { readonly executionId: string; readonly sequence: number } | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly completedAtMs: number | null;
  /** An operator's hold: why it is `paused` though it may wait for nothing. Null when nobody holds it. */
  readonly suspended: { readonly reason: string | null } | null;
}

/** List item: what the head of an execution tells. */
export type ExecutionSummary = Omit<ExecutionView, 'state' | 'input' | 'suspended'>;

/** All of what is given must hold. */
export interface ExecutionFilter {
  /** Any of them; none = nothing matches. */
  readonly statuses?: readonly Status[];
  readonly workflowId?: string;
  /** Only with `workflowId`. */
  readonly workflowVersion?: string;
  readonly parentId?: string;
  /** Without a value: any. */
  readonly labels?: readonly { readonly key: string; readonly value?: string }[];
  /** By the time in their ids. */
  readonly createdFromMs?: number;
  readonly createdBeforeMs?: number;
}

export interface ExecutionPageRequest extends ExecutionFilter {
  /** `next` of the page before. */
  readonly after?: string;
  readonly limit: number;
  /** How many matches to pass over; default none. */
  readonly offset?: number;
}

export interface ExecutionPage {
  /** Newest first. Fewer than asked for at the end, and where matches lie too far apart to look for more of them at once. */
  readonly executions: readonly ExecutionSummary[];
  /** Null = there is no more. */
  readonly next: string | null;
}

export interface EventView {
  readonly executionId: string;
  readonly sequence: number;
  /** snake_case. */
  readonly type: string;
  readonly nodeId: string | null;
  readonly data: JsonObject;
  readonly createdAtMs: number;
  readonly actorId: string;
  /** For whom the actor said that it acted: nothing proves it. Null = for itself. */
  readonly onBehalfOf: string | null;
}

export interface ApprovalsView {
  readonly pending: readonly PendingApproval[];
  readonly decided: readonly {
    readonly node_id: string;
    readonly status: 'approved' | 'rejected';
    /** As it stands in the event: the one on whose behalf it was decided, else the actor. */
    readonly user_id: string;
    /** Who decided. */
    readonly actor_id: string;
    readonly on_behalf_of: string | null;
    readonly comment: string | null;
    readonly sequence: number;
    readonly decided_at_ms: number;
  }[];
}

export interface Decision {
  readonly decision: string;
  readonly nodeId?: string;
  /** Recorded as the one on whose behalf the caller decides; absent = the caller itself. */
  readonly userId?: string;
  readonly comment?: string;
  readonly statePatch?: Json;
}
