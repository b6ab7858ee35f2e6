import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { asStoreError, isBusy } from './errors.ts';

/** What SQLite and a runtime may have put beside a database. */
const SUFFIXES = ['', '-wal', '-shm', '-journal', '-lock'];
/** Of an empty database that its writer has locked. The operating system releases the lock when the process ends, however it ends. */
const WRITER = '-writer';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Purpose = 'partial' | 'restoring';
const LOCK_FILE = /\.(?:partial|restoring)-\d+-writer$/;

/**
 * Calls `work` with the path of a new database beside `file`, and removes what is left of it when the work has ended or a signal ends the
 * process. What a process has left that was killed is removed by the next one that writes to the folder.
 */
export async function withTemporaryFile<T>(file: string, purpose: Purpose, work: (path: string) => Promise<T>): Promise<T> {
  const path = `${file}.${purpose}-${process.pid}`;
  try {
    removeAbandoned(dirname(file));
    const writer = locked(path);
    const remove = (): void => {
      writer.close();
      removeAll(path);
    };
    const stopListening = onSignals(remove);
    try {
      return await work(path);
    } finally {
      stopListening();
      remove();
    }
  } catch (error) {
    throw asStoreError(error);
  }
}

function locked(path: string): Database.Database {
  const db = new Database(`${path}${WRITER}`, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Removes the temporary files in the folder whose writers have ended. */
function removeAbandoned(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!LOCK_FILE.test(name)) continue;
    const path = join(folder, basename(name, WRITER));
    try {
      const lock = locked(path);
      removeAll(path);
      lock.close();
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
  }
}

function removeAll(path: string): void {
  for (const suffix of [...SUFFIXES, WRITER, `${WRITER}-journal`]) rmSync(`${path}${suffix}`, { force: true });
}

/** Calls `act` at the first signal, which then ends the process unless something else handles it. */
function onSignals(act: () => void): () => void {
  const stop = (): void => {
    for (const signal of SIGNALS) process.off(signal, end);
  };
  const end = (signal: NodeJS.Signals): void => {
    stop();
    act();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, end);
  return stop;
}
