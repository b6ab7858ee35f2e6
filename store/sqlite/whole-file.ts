import { existsSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CopyError } from '../port/copy.ts';
import { makeFolder } from './make-folder.ts';
import { withTemporaryFile } from './temporary-file.ts';

/**
 * Calls `write` with the path of a file beside `file`, which gets its name once it is complete and synced to disk: a file under that name is
 * always whole. Rejects with `not_empty` when one exists, before or meanwhile.
 */
export async function writeWhole<T>(file: string, write: (partial: string) => Promise<T>): Promise<T> {
  requireAbsent(file);
  makeFolder(dirname(file));
  return withTemporaryFile(file, 'partial', async (partial) => {
    const result = await write(partial);
    await syncToDisk(partial);
    requireAbsent(file);
    await rename(partial, file);
    await syncToDisk(dirname(file));
    return result;
  });
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
