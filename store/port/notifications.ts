/** What another process committed on the same database. */
export interface StoreNotification {
  readonly executions: readonly CommittedExecution[];
  /** The earliest due time that was set; null = none. */
  readonly dueAtMs: number | null;
  /** Queues that got work. */
  readonly queues: readonly { readonly tenantId: string; readonly queue: string }[];
  /** Whether messages between executions were put into the inbox. */
  readonly inbox: boolean;
  readonly control: readonly ControlChange[];
  /** Earlier notifications may have been lost: subscribers must read again what they wait for. */
  readonly gap: boolean;
  /**
   * The database lacks commits of this process that it had acknowledged: a standby without them was promoted, or a backup was restored. Caches of
   * the database, and effects of the lost commits, may be wrong. Implies `gap`.
   */
  readonly commitsLost: boolean;
}

/** An action on the control plane. */
export interface ControlChange {
  /** The tenant in whose control log it is recorded: the actor's. */
  readonly tenantId: string;
  /** The type of the control event; `lease_returned`, of tenant '', for a lease that was released early. */
  readonly type: string;
}

export interface CommittedExecution {
  readonly tenantId: string;
  readonly id: string;
  readonly seq: number;
  readonly started: boolean;
  readonly ended: boolean;
  /** The runtime that does its in-process work; null = none is in progress. */
  readonly owner: string | null;
}
