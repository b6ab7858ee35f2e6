/** As the API says it: `paused` when an operator holds it, or when everything under way waits for a person, an event, a timer or a child that does. */
export type ExecutionStatus = 'running' | 'paused' | 'completed' | 'failed' | 'cancelled' | 'limit_exceeded';

/** Where the last visit to a node stands. `held`: parked by policy, or by an operator's pause before it could begin. */
export type NodeStatus = 'queued' | 'active' | 'waiting' | 'held' | 'retrying' | 'done' | 'failed' | 'skipped' | 'cancelled';

/** What has happened to a node. */
export interface NodeOverlay {
  readonly status: NodeStatus;
  /** How often it was reached; a loop visits twice. 0 = it was skipped, or is held before its first visit. */
  readonly visits: number;
  /** Failed attempts that were made again, of all visits. */
  readonly retries: number;
  readonly sinceMs: number | null;
  /** From the beginning of the last visit to its end; null while it lasts, and for what takes no time. */
  readonly durationMs: number | null;
  /** Of the last attempt that failed. */
  readonly error: string | null;
}

/** What has happened up to an event of the log. */
export interface ExecutionOverlay {
  readonly status: ExecutionStatus;
  /** Does an operator hold it? */
  readonly suspended: boolean;
  /** Of the last event that counts; 0 = none. */
  readonly sequence: number;
  readonly atMs: number | null;
  readonly nodes: ReadonlyMap<string, NodeOverlay>;
  /** How often each edge of the graph was taken, by its index. */
  readonly taken: readonly number[];
}
