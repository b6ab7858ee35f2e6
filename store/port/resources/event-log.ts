/** An event in the log of all executions, without its data. */
export interface LoggedEvent {
  readonly tenantId: string;
  readonly executionId: string;
  readonly workflowId: string;
  readonly seq: number;
  /** snake_case. */
  readonly type: string;
  readonly nodeId: string | null;
  readonly atMs: number;
  /** The position after this event. */
  readonly position: string;
}

export interface LogSlice {
  readonly events: readonly LoggedEvent[];
  /** Where the next slice begins. */
  readonly position: string;
  /** The slice reached the end of the log. */
  readonly end: boolean;
}

/**
 * The events of all executions, in commit order: an event never appears before one that was read already, and those of one execution are in order
 * of sequence. Positions are opaque, stay valid as long as the database exists, and skip removed events. A position reveals how many events all
 * tenants have together, so clients must not see it.
 */
export interface GlobalEventLog {
  end(): Promise<string>;
  /**
   * Reads at most `limit` events after a position; with a tenant, returns only the tenant's. Rejects with `unknown_position` for a text that is not a
   * position of this log.
   */
  after(position: string, slice: { readonly limit: number; readonly tenantId?: string }): Promise<LogSlice>;
  /** 32 random bytes that never change, with which positions are sealed for clients. */
  key(): Promise<Uint8Array>;
}
