import type { Database, Statement } from 'better-sqlite3';
import type { WorkerHeartbeat, WorkerRow } from '../port/workers.ts';
import type { ControlLog } from './control-log.ts';
import * as sql from './queries/work.ts';

type StoredWorker = Omit<WorkerRow, 'queues'> & { readonly queues: string };

/** Where it is on record when a runtime starts and stops: it serves all tenants, and this one's operators run it. */
const RUNTIME_TENANT = 'default';

export class Workers {
  readonly #log: ControlLog;
  readonly #updateKnown: Statement;
  readonly #insert: Statement;
  readonly #markStopped: Statement;
  readonly #stoppedCleanly: Statement<[string], 1>;
  readonly #runtimes: Statement<[number], string>;
  readonly #list: Statement<[{ tenantId: string; sinceMs: number }], StoredWorker>;

  constructor(db: Database, log: ControlLog) {
    this.#log = log;
    this.#updateKnown = db.prepare(sql.UPDATE_WORKER);
    this.#insert = db.prepare(sql.INSERT_WORKER);
    this.#markStopped = db.prepare(sql.MARK_STOPPED);
    this.#stoppedCleanly = db.prepare<[string], 1>(sql.STOPPED_CLEANLY).pluck();
    this.#runtimes = db.prepare<[number], string>(sql.RUNTIMES).pluck();
    this.#list = db.prepare<[{ tenantId: string; sinceMs: number }], StoredWorker>(sql.WORKERS);
  }

  /** The first sighting of a worker in a tenant, and the start of a runtime, are recorded as control events; the others are news. */
  seen(worker: WorkerHeartbeat): void {
    const { id, kind, actor, atMs } = worker;
    const row = { ...worker, tenantId: worker.tenantId ?? '', queues: JSON.stringify(worker.queues) };
    if (this.#updateKnown.run(row).changes === 1) return;
    const tenantId = worker.tenantId ?? RUNTIME_TENANT;
    this.#log.act({ tenantId, atMs, ...actor }, () => {
      this.#insert.run(row);
      return kind === 'runtime'
        ? { type: 'runtime_started', data: JSON.stringify({ runtime_id: id }) }
        : { type: 'worker_registered', data: JSON.stringify({ worker_id: id, queue_types: worker.queues }) };
    });
  }

  stopped(id: string, atMs: number): void {
    this.#log.act({ tenantId: RUNTIME_TENANT, atMs, actorId: id, actorType: 'system', request: null }, () => {
      this.#markStopped.run({ id, atMs });
      return { type: 'runtime_stopped', data: JSON.stringify({ runtime_id: id }) };
    });
  }

  stoppedCleanly(id: string): boolean {
    return this.#stoppedCleanly.get(id) === 1;
  }

  runtimes(sinceMs: number): readonly string[] {
    return this.#runtimes.all(sinceMs);
  }

  list(tenantId: string, sinceMs: number): readonly WorkerRow[] {
    return this.#list.all({ tenantId, sinceMs }).map((row) => ({ ...row, queues: JSON.parse(row.queues) as string[] }));
  }
}
