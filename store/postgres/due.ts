import type { Due, WorkItemRow } from '../port/work-items.ts';
import type { Connections } from './connections.ts';
import * as sql from './queries/work.ts';

/** What is due: timers, expired leases, passed deadlines. */
export class DueQueries {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async due(nowMs: number, limit: number): Promise<readonly Due[]> {
    const page = [nowMs, limit];
    const [timers, timeouts, leases, deadlines] = await Promise.all([
      this.#connections.query<Due>(sql.DUE_TIMERS, page),
      this.#connections.query<Due>(sql.DUE_WORKFLOW_TIMEOUTS, page),
      this.#connections.query<WorkItemRow>(sql.DUE_LEASES, page),
      this.#connections.query<WorkItemRow>(sql.DUE_DEADLINES, page),
    ]);
    const all = [...timers, ...timeouts, ...dueWork(leases, deadlines, nowMs)];
    return all.sort((a, b) => a.atMs - b.atMs).slice(0, limit);
  }

  async nextDueAtMs(afterMs: number): Promise<number | null> {
    const [next] = await this.#connections.query<{ atMs: number | null }>(sql.NEXT_DUE, [afterMs]);
    return next?.atMs ?? null;
  }
}

/** An item whose lease and deadline have both passed is due once, for the earlier of the two. */
function dueWork(leases: readonly WorkItemRow[], deadlines: readonly WorkItemRow[], nowMs: number): readonly Due[] {
  const due = new Map<string, Due>();
  for (const item of leases) due.set(item.id, { kind: 'lease', item, atMs: item.leaseExpiresAtMs ?? nowMs });
  for (const item of deadlines) {
    const atMs = item.deadlineAtMs ?? nowMs;
    const expired = due.get(item.id);
    if (expired === undefined || atMs <= expired.atMs) due.set(item.id, { kind: 'deadline', item, atMs });
  }
  return [...due.values()];
}
