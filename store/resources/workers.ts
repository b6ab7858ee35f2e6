import { nextTurn } from '../loop-turns.ts';
import { LISTED_FOR_MS, MAX_WORKERS, type WorkerHeartbeat, type WorkerRow } from '../port/workers.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/workers.ts';
import { get, run, type Script } from './script.ts';

/** The tenant in whose control log the start and stop of runtimes are recorded: that of the operators who run them. */
const RUNTIME_TENANT = 'default';

/** Workers that one statement looks at. */
const SLICE = 100;

export class Workers {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  /**
   * The first heartbeat of a worker in a tenant, and the start of a runtime, are recorded as control events. Not recorded: a new external worker
   * of a tenant that has as many as may be listed.
   */
  async heartbeat(worker: WorkerHeartbeat): Promise<void> {
    const { id, kind, actor, atMs } = worker;
    const row = {
      ...worker,
      tenantId: worker.tenantId ?? '',
      queues: JSON.stringify(worker.queues),
      tools: worker.tools === null ? null : JSON.stringify(worker.tools),
    };
    if ((await this.#db.runtime.run(sql.UPDATE_WORKER, row)) === 1) return;
    await this.#db.act({ tenantId: worker.tenantId ?? RUNTIME_TENANT, atMs, ...actor }, function* () {
      // Another process may have recorded the same worker meanwhile.
      if ((yield* run(sql.UPDATE_WORKER, row)) === 1) return { event: null };
      if (kind === 'external' && !(yield* hasRoom(row.tenantId, atMs))) return { event: null };
      yield* run(sql.INSERT_WORKER, row);
      const event =
        kind === 'runtime'
          ? { type: 'runtime_started', data: JSON.stringify({ runtime_id: id }) }
          : { type: 'worker_registered', data: JSON.stringify({ worker_id: id, queue_types: worker.queues }) };
      return { event };
    });
  }

  recordStop(id: string, atMs: number): Promise<void> {
    const context = { tenantId: RUNTIME_TENANT, atMs, actorId: id, actorType: 'system', request: null } as const;
    return this.#db.act(context, function* () {
      yield* run(sql.MARK_STOPPED, { id, atMs });
      return { event: { type: 'runtime_stopped', data: JSON.stringify({ runtime_id: id }) } };
    });
  }

  async stoppedCleanly(id: string): Promise<boolean> {
    return (await this.#db.runtime.get(sql.STOPPED_RUNTIME, { id })) !== null;
  }

  async activeRuntimes(sinceMs: number): Promise<readonly string[]> {
    return (await this.#db.runtime.all(sql.ACTIVE_RUNTIMES, { sinceMs })).map(({ id }) => id);
  }

  async list(tenantId: string, sinceMs: number): Promise<readonly WorkerRow[]> {
    const runtimes = await this.#seenSince(sinceMs, { tenantId, of: '', kind: 'runtime' });
    return [...runtimes, ...(await this.#seenSince(sinceMs, { tenantId, of: tenantId, kind: 'external' }))];
  }

  async #seenSince(
    sinceMs: number,
    values: { readonly tenantId: string; readonly of: string; readonly kind: string },
  ): Promise<readonly WorkerRow[]> {
    const rows: WorkerRow[] = [];
    for (let after = ''; ; ) {
      const slice = await this.#db.runtime.get(sql.WORKERS_SLICE, { ...values, after, slice: SLICE });
      if (slice?.last == null) return rows;
      rows.push(...(await this.#db.runtime.all(sql.WORKERS, { ...values, sinceMs, after, last: slice.last })));
      if (slice.seen < SLICE || rows.length >= MAX_WORKERS) return rows.slice(0, MAX_WORKERS);
      after = slice.last;
      await nextTurn(values.tenantId);
    }
  }
}

/** Whether the tenant may have another external worker; forgets those that are no longer listed if it has too many. */
function* hasRoom(tenantId: string, atMs: number): Script<boolean> {
  const count = function* (): Script<number> {
    return (yield* get(sql.COUNT_WORKERS, { tenantId, limit: MAX_WORKERS }))?.workers ?? 0;
  };
  if ((yield* count()) < MAX_WORKERS) return true;
  yield* run(sql.FORGET_WORKERS, { tenantId, beforeMs: atMs - LISTED_FOR_MS });
  return (yield* count()) < MAX_WORKERS;
}
