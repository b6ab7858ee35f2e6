import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isLoopback } from './loopback.ts';

export interface SavedUrl {
  readonly url: string;
  readonly file: string;
}

/** The file with the URL of the server that has a database open, beside the database. */
export function urlFile(databasePath: string, cwd: string): string {
  return join(dirname(resolve(cwd, databasePath)), 'url');
}

/** The URL that `jamjet dev` saved; null if there is none, or what the file says is not the URL of a server on this machine. */
export async function readSavedUrl(databasePath: string, cwd: string): Promise<SavedUrl | null> {
  const file = urlFile(databasePath, cwd);
  const url = (await readFile(file, 'utf8').catch(() => '')).trim();
  return /^https?:\/\/[^\s]+$/.test(url) && URL.canParse(url) && isLoopback(url) ? { url, file } : null;
}

/** The URL at which this machine reaches a server that listens on all addresses. */
export function reachableUrl(url: string): string {
  return url.replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=:|$)/, '//localhost');
}

/** Saves the URL, as this machine reaches it, until the returned function is called. A server that only other addresses reach is not saved. */
export async function saveUrl(file: string, url: string): Promise<() => Promise<void>> {
  const reachable = reachableUrl(url);
  if (!isLoopback(reachable)) return async () => undefined;
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${reachable}\n`);
  await rename(temporary, file);
  return async () => {
    // Another server may have saved its own meanwhile.
    const saved = (await readFile(file, 'utf8').catch(() => '')).trim();
    if (saved === reachable) await rm(file, { force: true });
  };
}
