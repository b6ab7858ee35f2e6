/** What another process committed on the same database, as far as it matters to this one. */
export interface StoreNotification {
  readonly executions: readonly CommittedExecution[];
  /** The earliest time that was set for something to fall due; null = none was. */
  readonly dueAtMs: number | null;
  /** Queues that got work. */
  readonly queues: readonly { readonly tenantId: string; readonly queue: string }[];
  /** Messages between executions were left in the inbox. */
  readonly inbox: boolean;
  readonly control: readonly ControlChange[];
  /** Notices may have been missed before this one: whoever waits for anything looks again. */
  readonly gap: boolean;
  /**
   * The database lacks commits of this process that it had acknowledged: a standby took over that had not got them, or a backup was put back.
   * What is known of it, and what was done because of it, may not be so. Always a gap, too.
   */
  readonly commitsLost: boolean;
}

/** Something was done to the control plane. */
export interface ControlChange {
  /** Whose log tells of it: of whoever acted. */
  readonly tenantId: string;
  /** That of the control event; `lease_returned`, of tenant '', for a lease that was given back before its time. */
  readonly type: string;
}

export interface CommittedExecution {
  readonly tenantId: string;
  readonly id: string;
  readonly seq: number;
  readonly started: boolean;
  readonly ended: boolean;
  /** Who does its in-process work; null = there is none. */
  readonly owner: string | null;
}
