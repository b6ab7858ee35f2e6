import type { JsonObject } from './json.ts';

/** What an execution is: fixed when it starts. */
export interface ExecutionIdentity {
  readonly workflowId: string;
  readonly workflowVersion: string;
  readonly revision: string;
  /** JSON object text. */
  readonly labels: string;
  readonly parentId: string | null;
  /** 0 for an execution that a client started, the parent's + 1 for a child. */
  readonly depth: number;
  readonly createdAtMs: number;
}

export interface NewExecution extends ExecutionIdentity {
  /** Workflow timeout, absolute. */
  readonly deadlineAtMs: number | null;
}

/** How far an execution has come: changes with every commit. */
export interface ExecutionProgress {
  readonly status: string;
  readonly seq: number;
  readonly steps: number;
  readonly error: string | null;
  /** Nodes with in-process work in progress, and the runtime that does it. */
  readonly localWork: number;
  readonly owner: string | null;
  readonly updatedAtMs: number;
  /** Null until terminal. Becoming terminal clears the deadline. */
  readonly completedAtMs: number | null;
}

export interface ExecutionRow extends NewExecution, ExecutionProgress {
  readonly id: string;
  readonly tenantId: string;
}

export interface StoredCheckpoint {
  readonly text: string;
  /** The sequence of the event it was taken after. */
  readonly seq: number;
  /**
   * Present when the text must not be used, so that the log is replayed instead. `broken`: the text was changed after it was stored ·
   * `unsigned`: the store signs checkpoints, and this one carries no signature.
   */
  readonly seal?: 'unsigned' | 'broken';
}

export interface EventRow {
  readonly seq: number;
  /** snake_case. */
  readonly type: string;
  readonly nodeId: string | null;
  readonly data: JsonObject;
  readonly atMs: number;
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  /** The name, taken from the request's body, on whose behalf the actor says it acts; null = on its own. */
  readonly onBehalfOf: string | null;
  /** JSON text of the request context (`{id, method, path, ip, token, role}`), or null. */
  readonly request: string | null;
}

export interface EventPageRequest {
  /** Sequence, exclusive. */
  readonly after: number;
  readonly limit: number;
  /** Ends the page early, after at least one event, once the data of its events exceeds this length: characters, or bytes of UTF-8. */
  readonly maxChars?: number;
  readonly type?: string;
  readonly nodeId?: string;
}

export interface EventPage {
  readonly rows: readonly EventRow[];
  /** Where the next page begins (`after`); null = there were no further events. */
  readonly next: number | null;
}

/** A durable message from one execution to another. */
export interface InboxMessage {
  readonly toExecutionId: string;
  /** JSON text. */
  readonly message: string;
}

export interface InboxRow extends InboxMessage {
  readonly id: number;
}

export interface IdempotencyRow {
  readonly tenantId: string;
  /** What the key is for: `executions`, `external-event:<execution id>` … */
  readonly scope: string;
  readonly key: string;
  /** Hash of the request body. */
  readonly requestHash: string;
  /** JSON text of the reply. */
  readonly response: string;
  readonly createdAtMs: number;
  /** The execution that the request began, or that took it. */
  readonly executionId: string;
}
