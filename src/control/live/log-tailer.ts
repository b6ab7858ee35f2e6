import { setImmediate } from 'node:timers/promises';
import { ChurnMap } from '../../../store/churn-map.ts';
import { StoreError } from '../../../store/port/errors.ts';
import type { GlobalEventLog, LogSlice } from '../../../store/port/resources/event-log.ts';
import { CoalescedJob, type CoalescedJobOptions } from '../../runtime/coalesced-job.ts';

const EVENTS_PER_SLICE = 500;

/** Resolves a follower's wait. Without a position the follower resumes at its own. */
type Waiter = (position?: string) => void;

/**
 * Wakes followers that wait for new events of a tenant. After a commit, reads the new end of the log once for all followers, so that those of
 * idle tenants are neither woken nor read events of other tenants.
 */
export class LogTailer {
  readonly #log: GlobalEventLog;
  readonly #job: CoalescedJob;
  readonly #waiters = new ChurnMap<string, Set<Waiter>>();
  /** The position read up to; null while no follower waits. */
  #position: string | null = null;

  constructor(log: GlobalEventLog, options: CoalescedJobOptions) {
    this.#log = log;
    this.#job = new CoalescedJob(options, () => this.#read());
  }

  /** Call after every commit. */
  committed(): void {
    if (this.#waiters.size > 0) this.#job.request();
    else this.#position = null;
  }

  /**
   * For a follower that has read everything up to `position`: resolves with the position to read from, once there may be new events of the
   * tenant. Also resolves when the signal aborts.
   */
  async next(tenantId: string, position: string, signal: AbortSignal): Promise<string> {
    const isFirst = this.#position === null;
    this.#position ??= position;
    if (this.#position !== position && !this.#job.closed) {
      await this.#job.requestAndWait();
      // Yields, in case the follower and the tailer keep missing each other.
      await setImmediate();
      return position;
    }
    const woken = this.#wait(tenantId, position, signal);
    // A commit since the follower's last read was not seen, because the tailer was idle.
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
      const { events, position, end } = slice;
      // While reading, all followers may have left and one with another position may have come.
      if (this.#position !== from) continue;
      this.#position = position;
      for (const tenantId of new Set(events.map((event) => event.tenantId))) {
        for (const wake of [...(this.#waiters.get(tenantId) ?? [])]) wake(from);
      }
      if (end) return;
      await setImmediate();
    }
  }

  /** Null = the log ends before the position because an earlier state was restored: wakes all followers to check their own positions. */
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
