import { setTimeout } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import type { ConversionProgress } from '../../port/conversion.ts';
import { StoreError } from '../../port/errors.ts';
import { asStoreError, isBusy } from '../errors.ts';
import { OLD_POSITIONS, TABLE_EXISTS } from '../queries/conversion.ts';
import { moveBlocks } from './blocks.ts';
import { moveEvents } from './events.ts';
import { moveExecutions } from './executions.ts';
import type { MoveBatch } from './move-batch.ts';

/** After this long without a commit of another process, its lock is an error. */
const STALLED_MS = 10_000;
const BUSY_TIMEOUT_MS = 20;
const RETRY_MS = 5;

/**
 * Moves the rows of the tables that migration 0015 renamed into those that replace them, then drops the old tables. Call after each migration, before
 * the database is used: a conversion that was interrupted continues with what is left, and several processes that open the database take turns.
 * Each batch is a transaction. Changes the busy timeout of the connection. Rejects with `StoreError`.
 */
export async function convertLog(db: Database, onProgress: (progress: ConversionProgress) => void): Promise<void> {
  if (db.prepare(TABLE_EXISTS).get('old_audit_blocks') === undefined) return;
  db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  // A power failure may undo the last batches, which the next start moves again. The first commit after it syncs them.
  const synchronous = db.pragma('synchronous', { simple: true });
  db.pragma('synchronous = NORMAL');
  try {
    await moveAll(db, 'old_executions', moveExecutions);
    await moveAll(db, 'old_events', () => moveEvents(db, progressOf(db, onProgress)));
    await moveAll(db, 'old_audit_blocks', moveBlocks);
  } catch (error) {
    throw interrupted(asStoreError(error));
  } finally {
    db.pragma(`synchronous = ${synchronous}`);
  }
}

async function moveAll(db: Database, table: string, prepare: (db: Database) => MoveBatch): Promise<void> {
  const exists = db.prepare(TABLE_EXISTS);
  let moveBatch: MoveBatch | null = null;
  const batch = db.transaction((): boolean => {
    // Another process may have finished.
    if (exists.get(table) === undefined) return false;
    moveBatch ??= prepare(db);
    if (moveBatch()) return true;
    db.exec(`DROP TABLE ${table}`);
    return false;
  });
  while (await inTurn(db, () => batch.immediate())) await setTimeout(0);
}

/** Retries while another process has the write lock and commits. */
async function inTurn<T>(db: Database, body: () => T): Promise<T> {
  const version = () => db.pragma('data_version', { simple: true });
  let seen = version();
  let changedAtMs = performance.now();
  for (;;) {
    try {
      return body();
    } catch (error) {
      if (!isBusy(error)) throw error;
      const now = version();
      if (now !== seen) changedAtMs = performance.now();
      else if (performance.now() - changedAtMs >= STALLED_MS) throw error;
      seen = now;
    }
    await setTimeout(RETRY_MS);
  }
}

function progressOf(db: Database, onProgress: (progress: ConversionProgress) => void): (position: number) => void {
  const { first, last } = db.prepare<[], { first: number | null; last: number | null }>(OLD_POSITIONS).get() ?? {};
  const before = (first ?? 1) - 1;
  return (position) => onProgress({ events: position - before, total: (last ?? 0) - before });
}

function interrupted(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  const { code, message } = error;
  return new StoreError(code, `its log is not converted yet, and the next start goes on with it: ${message}`, { cause: error });
}
