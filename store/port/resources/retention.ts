import type { RemovedExecution } from '../../audit/removals.ts';
import type { ActionContext } from '../control.ts';

export interface RetentionPolicy {
  readonly tenantId: string;
  /** How long ended executions are kept. */
  readonly days: number;
}

/** Where a batch of removals ended: executions are looked at in order of their end. */
export interface RemovalPosition {
  readonly endedAtMs: number;
  readonly id: string;
}

/** Before every execution. */
export const BEFORE_ALL: RemovalPosition = { endedAtMs: -1, id: '' };

export interface RemovalRequest {
  /** `next` of the batch before. */
  readonly after: RemovalPosition | null;
  readonly endedBeforeMs: number;
}

export interface Removal {
  /** Ids. */
  readonly removed: readonly string[];
  /** Null = every execution that ended before was looked at. */
  readonly next: RemovalPosition | null;
}

/** Removes what tenants keep for a limited time only. */
export interface RetentionStore {
  /** Tenants with such a limit (`retention_days` of their limits). */
  policies(): Promise<readonly RetentionPolicy[]>;
  /** When the tenant's execution that ended first did so; null = none has. */
  oldestEndMs(tenantId: string): Promise<number | null>;
  /**
   * Looks at a few dozen ended executions of the context's tenant and removes them with everything that is theirs, in one transaction with the
   * event that says so (`executions_removed`). One whose parent or child is alive stays, and so does one for which a message waits.
   * The audit chain stays sound: it keeps the digests of what was removed.
   */
  remove(request: RemovalRequest, context: ActionContext): Promise<Removal>;
}

export const EXECUTIONS_PER_BATCH = 50;
/** A batch ends early after so many events: removing them takes a few milliseconds. */
const EVENTS_PER_BATCH = 500;

/** As many of them as make a batch, at least one. The same for every engine, as is what the event says. */
export function limitBatch<Ended extends { readonly seq: number }>(ended: readonly Ended[]): readonly Ended[] {
  let events = 0;
  const end = ended.findIndex(({ seq }, index) => {
    events += seq;
    return index > 0 && events > EVENTS_PER_BATCH;
  });
  return end === -1 ? ended : ended.slice(0, end);
}

export function removalData(removed: readonly RemovedExecution[], { endedBeforeMs }: RemovalRequest): string {
  const older_than = new Date(endedBeforeMs).toISOString();
  return JSON.stringify({ count: removed.length, reason: 'retention', older_than, executions: removed });
}
