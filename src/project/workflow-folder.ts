import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isBelow } from '../authoring/is-below.ts';

/** A workflow names a file outside of its own folder. What it names may come into its document, or run. */
export class OutsideFolder extends Error {
  readonly code = 'outside_folder';

  /** `what` names the file, and what names it. */
  constructor(what: string, folder: string) {
    super(`${what} is outside of the folder of the workflow, ${folder}`);
    this.name = 'OutsideFolder';
  }
}

/**
 * The path to read for a file that a workflow in the folder names. Rejects with `OutsideFolder` if it is not below the folder, as it is
 * written or behind symbolic links. A file that is missing is left to the reader, which says so.
 */
export async function pathBelow(folder: string, path: string, what: string): Promise<string> {
  const named = resolve(folder, path);
  if (!isBelow(folder, named)) throw new OutsideFolder(what, folder);
  const [realFolder, real] = await Promise.all([folder, named].map((each) => realpath(each).catch(() => null)));
  if (realFolder == null || real == null) return named;
  if (!isBelow(realFolder, real)) throw new OutsideFolder(`${what} (${real})`, folder);
  return real;
}
