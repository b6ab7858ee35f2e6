/** A node that asked a person for a decision. What it asked, and what was decided, is in the log. */
export interface ApprovalRow {
  readonly executionId: string;
  readonly tenantId: string;
  readonly workflowId: string;
  /** Of the event that asked. */
  readonly seq: number;
  readonly nodeId: string;
  readonly activation: number;
  /** Which item of the visit; null = it has none. */
  readonly item: number | null;
  readonly requestedAtMs: number;
  /** When the node stops waiting; null = never. */
  readonly expiresAtMs: number | null;
  /** Null = not decided yet. */
  readonly decidedAtMs: number | null;
  /** Of the event with the decision; null = not decided yet. */
  readonly decidedSeq: number | null;
}

/** `put` replaces a row with the same sequence. `remove`: the node waits no longer, and no one has decided. */
export type ApprovalWrite =
  | ({ readonly op: 'put' } & Omit<ApprovalRow, 'executionId' | 'tenantId'>)
  | { readonly op: 'remove'; readonly seq: number };

/** The place of a row in a list. */
export interface ApprovalPosition {
  /** `requestedAtMs` or `decidedAtMs`, as the list is ordered. */
  readonly atMs: number;
  readonly executionId: string;
  readonly seq: number;
}

export interface ApprovalPage {
  readonly status: 'pending' | 'decided';
  readonly workflowId?: string;
  /** Exclusive. */
  readonly after?: ApprovalPosition;
  readonly limit: number;
}

/** Approvals by tenant. Commits write them (`ExecutionWrite.approvals`). */
export interface ApprovalStore {
  /** Pending ones that have waited longest first, decided ones newest first. */
  page(tenantId: string, page: ApprovalPage): Promise<readonly ApprovalRow[]>;
  /** Number of pending ones. */
  countPending(tenantId: string, workflowId?: string): Promise<number>;
}
