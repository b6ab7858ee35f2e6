/** An event as it stands in the log of all executions: whose it is and what it is, without its data. */
export interface LogEntry {
  readonly tenantId: string;
  readonly executionId: string;
  readonly workflowId: string;
  readonly seq: number;
  /** snake_case. */
  readonly type: string;
  readonly nodeId: string | null;
  readonly atMs: number;
  /** Right after it. */
  readonly position: string;
}

export interface LogSlice {
  readonly entries: readonly LogEntry[];
  /** Where the next slice begins. */
  readonly position: string;
  /** There was nothing more when it was read. */
  readonly end: boolean;
}

/**
 * The events of all executions in an order in which no event ever comes before one that was already seen; those of one execution are in
 * order of sequence. A position in it is opaque, stays valid for as long as the database lives, and skips what has been removed. It tells
 * how much there is, of all tenants together: it is not for clients.
 */
export interface GlobalEventLog {
  end(): Promise<string>;
  /**
   * What follows a position: looks at `limit` events at most, and answers those of the tenant, if one is named. Rejects with
   * `unknown_position` for a text that never was a position of this log.
   */
  after(position: string, slice: { readonly limit: number; readonly tenantId?: string }): Promise<LogSlice>;
  /** 32 random bytes that never change: what makes a position fit for a client. */
  key(): Promise<Uint8Array>;
}
