import type { Erasure, ErasureResult, ErasureStore, OriginalEvent, PendingErasure } from '../port/resources/erasures.ts';
import { sealOf } from '../snapshot-seal.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/erasures.ts';
import { get, run, runTogether, type Script } from './script.ts';

export class Erasures implements ErasureStore {
  readonly #db: ResourceDatabase;
  readonly #key: string | Uint8Array | null;

  /** `key` signs snapshots; null = their seals carry no signature. */
  constructor(db: ResourceDatabase, key: string | Uint8Array | null) {
    this.#db = db;
    this.#key = key;
  }

  originals(executionId: string, from: number, to: number): Promise<readonly OriginalEvent[]> {
    return this.#db.runtime.all(sql.ORIGINALS, { executionId, from, to });
  }

  pending(page: { readonly after: string; readonly limit: number }): Promise<readonly PendingErasure[]> {
    return this.#db.runtime.all(sql.PENDING_ERASURES, page);
  }

  erase(erasures: readonly Erasure[]): Promise<readonly ErasureResult[]> {
    const key = this.#key;
    return this.#db.transaction(function* () {
      const results: ErasureResult[] = [];
      let limit = sql.ORIGINALS_PER_TRANSACTION;
      for (const erasure of erasures) {
        if (limit === 0) {
          results.push('more');
          continue;
        }
        const { result, deleted } = yield* eraseOne(erasure, key, limit);
        results.push(result);
        limit -= deleted;
      }
      return results;
    });
  }
}

function* eraseOne(
  erasure: Erasure,
  key: string | Uint8Array | null,
  limit: number,
): Script<{ readonly result: ErasureResult; readonly deleted: number }> {
  const { executionId, seq, snapshot } = erasure;
  if ((yield* get(sql.PENDING_ERASURE, erasure)) === null) return { result: 'done', deleted: 0 };
  if ((yield* get(sql.UNDELIVERED, erasure)) !== null) return { result: 'needed', deleted: 0 };
  const digest = sealOf(key, executionId, seq, snapshot);
  yield* runTogether([
    { statement: sql.DELETE_CHECKPOINTS, values: erasure },
    { statement: sql.INSERT_SNAPSHOT, values: { ...erasure, digest } },
  ]);
  const deleted = yield* run(sql.DELETE_ORIGINALS, { ...erasure, limit });
  if (deleted === limit) return { result: 'more', deleted };
  const statements = [...sql.ERASE_REQUESTS, sql.MARK_ERASED];
  yield* runTogether(statements.map((statement) => ({ statement, values: erasure })));
  return { result: 'done', deleted };
}
