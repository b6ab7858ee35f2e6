import type { Erasure, ErasureStore, OriginalEvent, PendingErasure } from '../port/resources/erasures.ts';
import { sealOf } from '../snapshot-seal.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/erasures.ts';
import { get, run, runTogether } from './script.ts';

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

  erase(erasure: Erasure): Promise<'done' | 'more' | 'needed'> {
    const { executionId, seq, snapshot } = erasure;
    const digest = sealOf(this.#key, executionId, seq, snapshot);
    return this.#db.transaction(function* () {
      if ((yield* get(sql.PENDING_ERASURE, erasure)) === null) return 'done';
      if ((yield* get(sql.UNDELIVERED, erasure)) !== null) return 'needed';
      yield* runTogether([
        { statement: sql.DELETE_CHECKPOINTS, values: erasure },
        { statement: sql.INSERT_SNAPSHOT, values: { ...erasure, digest } },
      ]);
      if ((yield* run(sql.DELETE_ORIGINALS, erasure)) === sql.ORIGINALS_PER_ERASURE) return 'more';
      const statements = [...sql.ERASE_REQUESTS, sql.MARK_ERASED];
      yield* runTogether(statements.map((statement) => ({ statement, values: erasure })));
      return 'done';
    });
  }
}
