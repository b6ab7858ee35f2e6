import type { Database, Statement } from 'better-sqlite3';
import type { Due, WorkItemRow } from '../port/work-items.ts';
import * as sql from './queries/work.ts';

type Page = [nowMs: number, limit: number];

/** What is due: timers, expired leases, passed deadlines. */
export class DueQueries {
  readonly #timers: Statement<Page, Due>;
  readonly #leases: Statement<Page, WorkItemRow>;
  readonly #deadlines: Statement<Page, WorkItemRow>;
  readonly #workflowTimeouts: Statement<Page, Due>;
  readonly #next: Statement<[{ afterMs: number }], number | null>;

  constructor(db: Database) {
    this.#timers = db.prepare<Page, Due>(sql.DUE_TIMERS);
    this.#leases = db.prepare<Page, WorkItemRow>(sql.DUE_LEASES);
    this.#deadlines = db.prepare<Page, WorkItemRow>(sql.DUE_DEADLINES);
    this.#workflowTimeouts = db.prepare<Page, Due>(sql.DUE_WORKFLOW_TIMEOUTS);
    this.#next = db.prepare<[{ afterMs: number }], number | null>(sql.NEXT_DUE).pluck();
  }

  due(nowMs: number, limit: number): readonly Due[] {
    const all = [...this.#timers.all(nowMs, limit), ...this.#workflowTimeouts.all(nowMs, limit), ...this.#dueWork(nowMs, limit)];
    return all.sort((a, b) => a.atMs - b.atMs).slice(0, limit);
  }

  nextDueAtMs(afterMs = Number.MIN_SAFE_INTEGER): number | null {
    return this.#next.get({ afterMs }) ?? null;
  }

  /** An item whose lease and deadline have both passed is due once, for the earlier of the two. */
  #dueWork(nowMs: number, limit: number): readonly Due[] {
    const due = new Map<string, Due>();
    for (const item of this.#leases.all(nowMs, limit)) {
      due.set(item.id, { kind: 'lease', item, atMs: item.leaseExpiresAtMs ?? nowMs });
    }
    for (const item of this.#deadlines.all(nowMs, limit)) {
      const atMs = item.deadlineAtMs ?? nowMs;
      const expired = due.get(item.id);
      if (expired === undefined || atMs <= expired.atMs) due.set(item.id, { kind: 'deadline', item, atMs });
    }
    return [...due.values()];
  }
}
