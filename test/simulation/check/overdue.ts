import type { RuntimeProcess } from '../environment/runtime-process.ts';
import type { Scheduler } from '../environment/scheduler.ts';
import type { MemoryDatabase } from '../store/memory-database.ts';
import type { OnlineChecker } from './online-checker.ts';

const EVERY_MS = 500;
/** What another runtime should deliver is taken over after this time. */
const TAKE_OVER_AFTER_MS = 2_000;
/** Time for the notifications, reads and commits of a delivery, on a network without slow replies. */
const MARGIN_MS = 1_000;
const LATEST_MS = TAKE_OVER_AFTER_MS + MARGIN_MS;
/** A claim is not made known to other processes: they find its lease when they look at the store, which they do this often. */
const POLL_MS = 30_000;
const MAX_DUE = 100;
/** With more messages, processes are busy: in an endless chain of segments, or a wide fan-out. */
const MAX_WAITING = 20;

/**
 * Checks, in plans in which processes only freeze or crash, that a process that has been up all the time takes over what is due, and messages
 * between executions, from one that does not answer and is not taken for lost yet.
 */
export class OverdueCheck {
  readonly #scheduler: Scheduler;
  readonly #database: MemoryDatabase;
  readonly #processes: readonly RuntimeProcess[];
  readonly #checker: OnlineChecker;
  /** Since when each process has been up and not frozen. */
  readonly #healthySinceMs = new Map<RuntimeProcess, number>();
  readonly #messagesSinceMs = new Map<number, number>();
  readonly #reported = new Set<string>();

  constructor(scheduler: Scheduler, database: MemoryDatabase, processes: readonly RuntimeProcess[], checker: OnlineChecker) {
    this.#scheduler = scheduler;
    this.#database = database;
    this.#processes = processes;
    this.#checker = checker;
  }

  start(): void {
    this.#scheduler.schedule(EVERY_MS, null, 'looks for what is overdue', () => {
      this.#check(this.#scheduler.nowMs);
      this.start();
    });
  }

  #check(nowMs: number): void {
    for (const each of this.#processes) {
      const isHealthy = each.runtime !== null && (each.incarnation?.frozenUntilMs ?? 0) <= nowMs;
      if (!isHealthy) this.#healthySinceMs.delete(each);
      else if (!this.#healthySinceMs.has(each)) this.#healthySinceMs.set(each, nowMs);
    }
    const isCovered = [...this.#healthySinceMs.values()].some((sinceMs) => sinceMs <= nowMs - LATEST_MS - EVERY_MS);
    const { inbox } = this.#database.tables;
    for (const id of this.#messagesSinceMs.keys()) if (!inbox.has(id)) this.#messagesSinceMs.delete(id);
    for (const id of inbox.keys()) if (!this.#messagesSinceMs.has(id)) this.#messagesSinceMs.set(id, nowMs);
    if (!isCovered || inbox.size > MAX_WAITING) return;
    for (const due of this.#database.queries.due(nowMs - LATEST_MS, MAX_DUE)) {
      if ('item' in due && due.atMs > nowMs - LATEST_MS - POLL_MS) continue;
      const of = 'item' in due ? due.item.executionId : due.executionId;
      this.#report(`${due.kind} of ${of} has been due since ${due.atMs}, and no process has taken it over`);
    }
    for (const [id, sinceMs] of this.#messagesSinceMs)
      if (sinceMs <= nowMs - LATEST_MS)
        this.#report(
          `message ${id} to ${inbox.get(id)?.toExecutionId} has waited since ${sinceMs}, and no process has taken it over`,
        );
  }

  #report(text: string): void {
    if (this.#reported.has(text)) return;
    this.#reported.add(text);
    this.#checker.addViolation(text);
  }
}
