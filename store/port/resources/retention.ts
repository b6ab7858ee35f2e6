import type { ActionContext } from '../control.ts';

export interface RetentionPolicy {
  readonly tenantId: string;
  /** How many days ended executions are kept. */
  readonly days: number;
}

/** Where a batch of removals stopped, in order of the executions' end times. */
export interface RemovalPosition {
  readonly endedAtMs: number;
  /** Orders the executions that ended in the same millisecond. */
  readonly place: number | string;
}

/** Before every execution. */
export const BEFORE_ALL: RemovalPosition = { endedAtMs: -1, place: 0 };

export interface RemovalRequest {
  /** `next` of the previous batch; null for the first. */
  readonly after: RemovalPosition | null;
  /** Of executions that ended before this time; for `data_policy`, of those that are to be removed before it. */
  readonly endedBeforeMs: number;
  /** The limit is that of the workflow's data policy; absent = the tenant's. */
  readonly reason?: 'data_policy';
}

export interface Removal {
  /** Ids of the removed executions. */
  readonly removed: readonly string[];
  /** Null = every execution that ended before `endedBeforeMs` was examined. */
  readonly next: RemovalPosition | null;
}

/** Removes ended executions of tenants that keep them for a limited time. */
export interface RetentionStore {
  /** The tenants with a retention limit (`retention_days` of their limits). */
  policies(): Promise<readonly RetentionPolicy[]>;
  /** The next tenant, by id, `after` exclusive, with ended executions that data policies have removed at some time; null = there is none. */
  nextExpiring(after: string): Promise<string | null>;
  /** End time of the tenant's execution that ended first; null = none has ended. */
  oldestEndMs(tenantId: string): Promise<number | null>;
  /**
   * Examines a few dozen ended executions of the context's tenant and removes them with all their rows, in one transaction with the event that
   * records it (`executions_removed`). Keeps executions with a live parent or child, and those with an undelivered message. The audit chain stays
   * valid: it keeps the digests of removed rows.
   */
  remove(request: RemovalRequest, context: ActionContext): Promise<Removal>;
}

export const EXECUTIONS_PER_BATCH = 50;
/** A batch ends early after this many events, so that removing it takes a few milliseconds. */
const EVENTS_PER_BATCH = 500;

/** The executions of one batch, at least one. */
export function limitBatch<Ended extends { readonly seq: number }>(ended: readonly Ended[]): readonly Ended[] {
  let events = 0;
  const end = ended.findIndex(({ seq }, index) => {
    events += seq;
    return index > 0 && events > EVENTS_PER_BATCH;
  });
  return end === -1 ? ended : ended.slice(0, end);
}

export function removalData(removed: readonly RemovedExecution[], { endedBeforeMs, reason }: RemovalRequest): string {
  const why = reason === undefined ? { reason: 'retention', older_than: new Date(endedBeforeMs).toISOString() } : { reason };
  return JSON.stringify({ count: removed.length, ...why, executions: removed });
}

export interface RemovedExecution {
  readonly id: string;
  /** The last sequence of its log. */
  readonly last_seq: number;
}
