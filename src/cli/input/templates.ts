import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../templates', import.meta.url));

/** Stands for the name of the project in the files of a template. */
const NAME = /\bNAME\b/g;
/** Files in which it does. */
const NAMED = /\.(?:yaml|md)$/;

/** Projects to begin with: a folder of files each. */
export const TEMPLATES: Readonly<Record<string, string>> = {
  'hello-agent': 'a model answers a question',
  'research-agent': 'an agent searches notes with tools and writes a report',
  'code-reviewer': 'a model reviews a change, another one judges the review',
  'approval-workflow': 'a model drafts a reply, a person decides about it',
};

/** Writes the files of a template below `folder`, which may exist; returns their paths. An existing file is an error, and nothing is written. */
export async function writeTemplate(template: string, name: string, folder: string): Promise<readonly string[]> {
  const source = join(FOLDER, template);
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name: file }) => join(parentPath, file).slice(source.length + 1));
  const present = new Set(await readdir(folder, { recursive: true }).catch(() => [] as string[]));
  const taken = files.filter((file) => present.has(file));
  if (taken.length > 0) throw new FilesExist(taken);
  for (const file of files.sort()) {
    const target = join(folder, file);
    await mkdir(dirname(target), { recursive: true });
    if (NAMED.test(file)) await writeFile(target, (await readFile(join(source, file), 'utf8')).replaceAll(NAME, name));
    else await cp(join(source, file), target);
  }
  return files;
}

export class FilesExist extends Error {
  constructor(files: readonly string[]) {
    super(`${files.join(', ')} ${files.length === 1 ? 'exists' : 'exist'} already`);
  }
}
