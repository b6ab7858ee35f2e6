import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../failure.ts';
import { fileProblem } from '../input/arguments.ts';

export interface SavedToken {
  readonly token: string;
  readonly file: string;
}

/** The token file of a database, in the same folder. */
export function tokenFile(databasePath: string, cwd: string): string {
  return join(dirname(resolve(cwd, databasePath)), 'token');
}

/** The saved token; null if there is none. */
export async function readSavedToken(databasePath: string, cwd: string): Promise<SavedToken | null> {
  const file = tokenFile(databasePath, cwd);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw new Failure(`cannot read the saved token ${file}: ${fileProblem(error)}`, {
      hint: 'Set JAMJET_TOKEN instead.',
      cause: error,
    });
  }
  const token = text.trim();
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new Failure(`the saved token ${file} is not a token`, { hint: 'Delete the file; `jamjet dev` creates a new one.' });
  return { token, file };
}

/** Saves a token, readable by the owner only, and replaces the file atomically. */
export async function saveToken(file: string, token: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${token}\n`, { mode: 0o600, flag: 'wx' });
  await rename(temporary, file);
}
