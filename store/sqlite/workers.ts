import type { Database, Statement } from 'better-sqlite3';
import type { WorkerRow } from '../rows.ts';
import type { WorkerSighting } from '../store.ts';
import * as sql from './queries/work.ts';

type StoredWorker = Omit<WorkerRow, 'queues'> & { readonly queues: string };

export class Workers {
  readonly #seen: Statement;
  readonly #stopped: Statement;
  readonly #stoppedCleanly: Statement<[string], 1>;
  readonly #list: Statement<[{ tenantId: string; sinceMs: number }], StoredWorker>;

  constructor(db: Database) {
    this.#seen = db.prepare(sql.SEEN);
    this.#stopped = db.prepare(sql.STOPPED);
    this.#stoppedCleanly = db.prepare<[string], 1>(sql.STOPPED_CLEANLY).pluck();
    this.#list = db.prepare<[{ tenantId: string; sinceMs: number }], StoredWorker>(sql.WORKERS);
  }

  seen(worker: WorkerSighting): void {
    this.#seen.run({ ...worker, tenantId: worker.tenantId ?? '', queues: JSON.stringify(worker.queues) });
  }

  stopped(id: string, atMs: number): void {
    this.#stopped.run({ id, atMs });
  }

  stoppedCleanly(id: string): boolean {
    return this.#stoppedCleanly.get(id) === 1;
  }

  list(tenantId: string, sinceMs: number): readonly WorkerRow[] {
    return this.#list.all({ tenantId, sinceMs }).map((row) => ({ ...row, queues: JSON.parse(row.queues) as string[] }));
  }
}
