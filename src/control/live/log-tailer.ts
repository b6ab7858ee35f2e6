import { setImmediate } from 'node:timers/promises';
import { StoreError } from '../../../store/port/errors.ts';
import type { GlobalEventLog, LogSlice } from '../../../store/port/resources/event-log.ts';
import { CoalescedJob, type CoalescedJobOptions } from '../../runtime/coalesced-job.ts';

const EVENTS_PER_SLICE = 500;

/** Without a position: the one that the waiting one has. */
type Waiter = (position?: string) => void;

/**
 * Wakes whoever waits for something new of a tenant. Reads the end of the log once for all of them, when something was committed, so
 * that those whose tenant does nothing are not woken, and do not have to read what others did either.
 */
export class LogTailer {
  readonly #log: GlobalEventLog;
  readonly #job: CoalescedJob;
  readonly #waiters = new Map<string, Set<Waiter>>();
  /** How far it has read; null while nobody waits. */
  #position: string | null = null;

  constructor(log: GlobalEventLog, options: CoalescedJobOptions) {
    this.#log = log;
    this.#job = new CoalescedJob(options, () => this.#read());
  }

  /** Something was committed. */
  committed(): void {
    if (this.#waiters.size > 0) this.#job.request();
    else this.#position = null;
  }

  /**
   * For one who has read everything up to `position`: resolves with where to read on, once there may be something of the tenant. Also
   * resolves when the signal aborts.
   */
  async next(tenantId: string, position: string, signal: AbortSignal): Promise<string> {
    const isFirst = this.#position === null;
    this.#position ??= position;
    if (this.#position !== position && !this.#job.closed) {
      await this.#job.requestAndWait();
      // Should they keep missing each other, others have their turn between.
      await setImmediate();
      return position;
    }
    const woken = this.#wait(tenantId, position, signal);
    // A commit between that reading and now was not told to anybody.
    if (isFirst) this.#job.request();
    return woken;
  }

  close(): Promise<void> {
    return this.#job.close();
  }

  #wait(tenantId: string, position: string, signal: AbortSignal): Promise<string> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(tenantId) ?? new Set();
      this.#waiters.set(tenantId, waiters);
      const leave = (): void => wake(position);
      const wake: Waiter = (from = position) => {
        signal.removeEventListener('abort', leave);
        waiters.delete(wake);
        if (waiters.size === 0 && this.#waiters.get(tenantId) === waiters) this.#waiters.delete(tenantId);
        resolve(from);
      };
      waiters.add(wake);
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
    });
  }

  async #read(): Promise<void> {
    for (;;) {
      const from = this.#position;
      if (from === null) return;
      const slice = await this.#after(from);
      if (slice === null) return;
      const { entries, position, end } = slice;
      // Meanwhile everybody may have left, and somebody come from elsewhere.
      if (this.#position !== from) continue;
      this.#position = position;
      for (const tenantId of new Set(entries.map((entry) => entry.tenantId))) {
        for (const wake of [...(this.#waiters.get(tenantId) ?? [])]) wake(from);
      }
      if (end) return;
      await setImmediate();
    }
  }

  /** Null = the log ends before that, since the database has gone back: everybody finds out for himself where he stands. */
  async #after(position: string): Promise<LogSlice | null> {
    try {
      return await this.#log.after(position, { limit: EVENTS_PER_SLICE });
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'unknown_position') throw error;
      if (this.#position === position) this.#position = null;
      for (const all of [...this.#waiters.values()]) for (const wake of [...all]) wake();
      return null;
    }
  }
}
