import type { WorkerRow } from '../rows.ts';
import type { WorkerSighting } from '../store.ts';
import type { Connections } from './connections.ts';
import * as sql from './queries/work.ts';

type StoredWorker = Omit<WorkerRow, 'queues'> & { readonly queues: string };

export class Workers {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async seen({ tenantId, kind, id, queues, atMs, claimed }: WorkerSighting): Promise<void> {
    await this.#connections.query(sql.SEEN, [tenantId ?? '', kind, id, JSON.stringify(queues), atMs, claimed]);
  }

  async stopped(id: string, atMs: number): Promise<void> {
    await this.#connections.query(sql.STOPPED, [id, atMs]);
  }

  async stoppedCleanly(id: string): Promise<boolean> {
    return (await this.#connections.query(sql.STOPPED_CLEANLY, [id])).length === 1;
  }

  async list(tenantId: string, sinceMs: number): Promise<readonly WorkerRow[]> {
    const rows = await this.#connections.query<StoredWorker>(sql.WORKERS, [tenantId, sinceMs]);
    return rows.map((row) => ({ ...row, queues: JSON.parse(row.queues) as string[] }));
  }
}
