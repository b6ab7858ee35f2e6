import { LISTED_FOR_MS, MAX_WORKERS, type WorkerHeartbeat, type WorkerRow } from '../../../store/port/workers.ts';
import { isOpen } from './commits.ts';
import { key, type Tables } from './tables.ts';

/** A lease that expires later than this was made by a clock that is ahead, and is ignored. */
const LONGEST_LEASE_MS = 600_000;

/** Workers, runtimes and named leases. */
export class Workers {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Returns whether the heartbeat is logged: the first of a worker that is recorded, or the start of a runtime. */
  heartbeat(heartbeat: WorkerHeartbeat): boolean {
    const { id, kind, queues, tools, atMs, claimed } = heartbeat;
    const tenantId = heartbeat.tenantId ?? '';
    const name = key(tenantId, kind, id);
    const before = this.#tables.workers.get(name);
    const isNews = before === undefined || before.stoppedAtMs !== null;
    if (before === undefined && kind === 'external' && !this.#hasRoom(tenantId, atMs)) return false;
    const lastSeenAtMs = kind === 'runtime' && !isNews ? atMs : Math.max(before?.lastSeenAtMs ?? atMs, atMs);
    this.#tables.workers.set(name, {
      tenantId,
      kind,
      id,
      queues,
      tools,
      firstSeenAtMs: before?.firstSeenAtMs ?? atMs,
      lastSeenAtMs,
      claimedTotal: (before?.claimedTotal ?? 0) + claimed,
      stoppedAtMs: null,
    });
    if (isNews) this.#tables.blocks += 1;
    return isNews;
  }

  #hasRoom(tenantId: string, atMs: number): boolean {
    const { workers } = this.#tables;
    const own = () => [...workers].filter(([, worker]) => worker.kind === 'external' && worker.tenantId === tenantId);
    if (own().length < MAX_WORKERS) return true;
    for (const [name, { lastSeenAtMs }] of own()) if (lastSeenAtMs < atMs - LISTED_FOR_MS) workers.delete(name);
    return own().length < MAX_WORKERS;
  }

  stopped(id: string, atMs: number): void {
    const name = key('', 'runtime', id);
    const before = this.#tables.workers.get(name);
    const first = {
      tenantId: '',
      kind: 'runtime',
      id,
      queues: [],
      tools: null,
      firstSeenAtMs: atMs,
      lastSeenAtMs: atMs,
      claimedTotal: 0,
    } as const;
    this.#tables.workers.set(name, { ...(before ?? first), stoppedAtMs: atMs });
    this.#tables.blocks += 1;
  }

  stoppedCleanly(id: string): boolean {
    return (this.#tables.workers.get(key('', 'runtime', id))?.stoppedAtMs ?? null) !== null;
  }

  runtimes(sinceMs: number): readonly string[] {
    return [...this.#tables.workers.values()]
      .filter(({ kind, lastSeenAtMs, stoppedAtMs }) => kind === 'runtime' && lastSeenAtMs >= sinceMs && stoppedAtMs === null)
      .map(({ id }) => id);
  }

  list(tenantId: string, sinceMs: number): readonly WorkerRow[] {
    return [...this.#tables.workers.values()]
      .filter((worker) => worker.tenantId === '' || worker.tenantId === tenantId)
      .filter(({ lastSeenAtMs, stoppedAtMs }) => lastSeenAtMs >= sinceMs && stoppedAtMs === null)
      .sort((a, b) => (key(a.tenantId, a.kind, a.id) < key(b.tenantId, b.kind, b.id) ? -1 : 1))
      .map(({ tenantId: of, stoppedAtMs: _stopped, ...worker }) => ({
        ...worker,
        inFlight: worker.kind === 'external' ? this.#claimed(of, worker.id) : this.#owned(tenantId, worker.id),
      }));
  }

  lease(name: string, holder: string, nowMs: number, ttlMs: number): boolean {
    const held = this.#tables.leases.get(name);
    const isOthers = held !== undefined && held.holder !== holder;
    if (isOthers && held.expiresAtMs > nowMs && held.expiresAtMs <= nowMs + LONGEST_LEASE_MS) return false;
    this.#tables.leases.set(name, { holder, expiresAtMs: nowMs + ttlMs });
    return true;
  }

  #claimed(tenantId: string, workerId: string): number {
    return [...this.#tables.items.values()].filter(
      (item) => item.tenantId === tenantId && item.workerId === workerId && item.status === 'claimed' && isOpen(item),
    ).length;
  }

  #owned(tenantId: string, runtimeId: string): number {
    return [...this.#tables.executions.values()].filter(
      ({ row }) => row.tenantId === tenantId && row.localWork > 0 && row.owner === runtimeId,
    ).length;
  }
}
