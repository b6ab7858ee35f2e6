export interface NewWorkItem {
  /** UUID. */
  readonly id: string;
  readonly nodeId: string;
  readonly activation: number;
  /** Which piece of the visit's work; null = the visit has only one. */
  readonly item: number | null;
  /** 0-based. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly queue: string;
  /** The tool that is asked for. */
  readonly tool: string;
  /** JSON text, or empty when the runtime computes it at the claim; `{}` once the item is settled. */
  readonly payload: string;
  /** Milliseconds an attempt may take once claimed; null = unlimited. */
  readonly timeoutMs: number | null;
  readonly createdAtMs: number;
}

export interface WorkItemRow extends NewWorkItem {
  readonly tenantId: string;
  readonly executionId: string;
  readonly workflowId: string;
  readonly workflowVersion: string;
  readonly status: 'pending' | 'claimed' | 'completed' | 'failed' | 'dead_lettered' | 'cancelled';
  readonly workerId: string | null;
  /** 0 = never claimed; each claim adds 1. */
  readonly fence: number;
  readonly leaseExpiresAtMs: number | null;
  readonly deadlineAtMs: number | null;
  readonly claimedAtMs: number | null;
}

export interface ClaimRequest {
  readonly tenantId: string;
  readonly workerId: string;
  readonly queues: readonly string[];
  /** Only items of these tools, and of none; null = of any. */
  readonly tools: readonly string[] | null;
  readonly limit: number;
  readonly leaseMs: number;
  readonly nowMs: number;
}

/** Unclaimed items of one tool on one queue. */
export interface WaitingWork {
  readonly queue: string;
  readonly tool: string;
  /** How many; `MAX_COUNTED_WORK` = so many or more. */
  readonly waiting: number;
  readonly oldestAtMs: number;
}

/** So many items are counted, so that the time does not grow with a queue. */
export const MAX_COUNTED_WORK = 10_000;
/** So many pairs of queue and tool are listed. */
export const MAX_WAITING_WORK = 200;

export interface LeaseRenewal {
  readonly tenantId: string;
  readonly id: string;
  readonly workerId: string;
  readonly fence: number;
  readonly leaseExpiresAtMs: number;
}

/** Something whose time has come. */
export type Due =
  | {
      readonly kind: 'timer';
      readonly executionId: string;
      readonly timerId: string;
      readonly armedSeq: number;
      readonly atMs: number;
    }
  /** A claimed item whose lease expired, or whose deadline passed. */
  | { readonly kind: 'lease' | 'deadline'; readonly item: WorkItemRow; readonly atMs: number }
  | { readonly kind: 'workflow_timeout'; readonly executionId: string; readonly atMs: number };
