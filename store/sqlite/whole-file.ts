import { existsSync, rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CopyError } from '../port/copy.ts';
import { asStoreError } from './errors.ts';
import { makeFolder } from './make-folder.ts';

/**
 * Calls `write` with the path of a file beside `file`, which gets its name once it is complete and synced to disk: a file under that name is
 * always whole. Rejects with `not_empty` when one exists, before or meanwhile.
 */
export async function writeWhole<T>(file: string, write: (partial: string) => Promise<T>): Promise<T> {
  requireAbsent(file);
  return withTemporaryFile(`${file}.partial-${process.pid}`, async (partial) => {
    makeFolder(dirname(file));
    const result = await write(partial);
    await syncToDisk(partial);
    requireAbsent(file);
    await rename(partial, file);
    await syncToDisk(dirname(file));
    return result;
  });
}

/** Removes the database at `path`, if it is still there, when the work has ended. */
export async function withTemporaryFile<T>(path: string, work: (path: string) => Promise<T>): Promise<T> {
  try {
    return await work(path);
  } catch (error) {
    throw asStoreError(error);
  } finally {
    for (const suffix of ['', '-wal', '-shm', '-lock']) rmSync(`${path}${suffix}`, { force: true });
  }
}

function requireAbsent(file: string): void {
  if (existsSync(file)) throw new CopyError('not_empty', `${file} exists already: name a file that does not`);
}

/** Of a file or a folder. */
export async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
