import type { WorkerHeartbeat, WorkerRow } from '../port/workers.ts';
import type { Connections } from './connections.ts';
import type { ControlLog } from './control-log.ts';
import * as sql from './queries/work.ts';

type StoredWorker = Omit<WorkerRow, 'queues'> & { readonly queues: string };

/** Where it is on record when a runtime starts and stops: it serves all tenants, and this one's operators run it. */
const RUNTIME_TENANT = 'default';

export class Workers {
  readonly #connections: Connections;
  readonly #log: ControlLog;

  constructor(connections: Connections, log: ControlLog) {
    this.#connections = connections;
    this.#log = log;
  }

  /** The first sighting of a worker in a tenant, and the start of a runtime, are recorded as control events; the others are news. */
  async seen(worker: WorkerHeartbeat): Promise<void> {
    const { id, kind, actor, atMs, claimed } = worker;
    const row = [worker.tenantId ?? '', kind, id, JSON.stringify(worker.queues), atMs, claimed];
    if ((await this.#connections.query(sql.UPDATE_WORKER, row)).length === 1) return;
    const tenantId = worker.tenantId ?? RUNTIME_TENANT;
    await this.#log.act({ tenantId, atMs, ...actor }, async (queries) => {
      // Two processes may have met it at once.
      if ((await queries.query(sql.UPDATE_WORKER, row)).length === 1) return null;
      await queries.query(sql.INSERT_WORKER, row);
      return kind === 'runtime'
        ? { type: 'runtime_started', data: JSON.stringify({ runtime_id: id }) }
        : { type: 'worker_registered', data: JSON.stringify({ worker_id: id, queue_types: worker.queues }) };
    });
  }

  stopped(id: string, atMs: number): Promise<void> {
    const context = { tenantId: RUNTIME_TENANT, atMs, actorId: id, actorType: 'system', request: null } as const;
    return this.#log.act(context, async (queries) => {
      await queries.query(sql.MARK_STOPPED, [id, atMs]);
      return { type: 'runtime_stopped', data: JSON.stringify({ runtime_id: id }) };
    });
  }

  async clockAheadMs(nowMs: () => number): Promise<number> {
    const askedAtMs = nowMs();
    const [row] = await this.#connections.query<{ nowMs: number }>(sql.NOW);
    const answeredAtMs = nowMs();
    if (row === undefined) throw new Error('the database does not tell the time');
    // It was told in between.
    return Math.max(0, askedAtMs - row.nowMs) + Math.min(0, answeredAtMs - row.nowMs);
  }

  async stoppedCleanly(id: string): Promise<boolean> {
    return (await this.#connections.query(sql.STOPPED_CLEANLY, [id])).length === 1;
  }

  async runtimes(sinceMs: number): Promise<readonly string[]> {
    return (await this.#connections.query<{ id: string }>(sql.RUNTIMES, [sinceMs])).map((row) => row.id);
  }

  async list(tenantId: string, sinceMs: number): Promise<readonly WorkerRow[]> {
    const rows = await this.#connections.query<StoredWorker>(sql.WORKERS, [tenantId, sinceMs]);
    return rows.map((row) => ({ ...row, queues: JSON.parse(row.queues) as string[] }));
  }
}
