import { mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../../machines/json.ts';
import { packageFile } from '../../../store/package-files.ts';
import { ownFolder } from '../../project/own-package.ts';
import { VERSION } from '../../server/config.ts';
import { shellWord } from '../terminal/text.ts';
import { mergedPackage, newPackage } from './package-file.ts';

const FOLDER = fileURLToPath(packageFile('src/cli/templates'));

/** Stands for the name of the project in the files of a template. */
const NAME = /\bNAME\b/g;
/** Files in which it does. */
const NAMED = /\.(?:yaml|md|ts)$/;
/** Names that mean something to npm, and to the tools of this package, have others in a template. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: '.gitignore', 'package.template.json': 'package.json' };
/** Files of which a project may have its own. */
const KEPT: ReadonlySet<string> = new Set(['.gitignore', 'README.md', 'tsconfig.json']);
const PACKAGE = 'package.json';

/** Projects to begin with: a folder of files each. */
export const TEMPLATES: Readonly<Record<string, string>> = {
  'hello-agent': 'a model answers a question',
  typescript: 'a workflow in TypeScript, with tools, tests and an approval',
  'research-agent': 'an agent searches notes with tools and writes a report',
  'code-reviewer': 'a model reviews a change, another one judges the review',
  'approval-workflow': 'a model drafts a reply, a person decides about it',
};

/** What to type next in `folder`. */
export async function commandsOf(template: string, folder: string): Promise<readonly string[]> {
  if (template !== 'typescript') return ['jamjet run workflow.yaml --input @input.json --script answers.json'];
  const own = await realpath(ownFolder());
  // A checkout of this package is in no registry, or is not what is there.
  const install = own.split(sep).includes('node_modules') ? 'npm install' : `npm install --no-save ${shellWord(own)}`;
  const run = 'npx jamjet run workflow.ts --input @input.json';
  return (await isInstalledIn(folder)) ? [run] : [install, run];
}

/** What `writeTemplate` did with the files of a template, by their paths. */
export interface WrittenTemplate {
  readonly files: readonly string[];
  /** A `package.json` that was there, to which something was added. */
  readonly merged: readonly string[];
  /** What was there, and stays as it is: files, and scripts of `package.json`. */
  readonly kept: readonly string[];
}

/**
 * Writes the files of a template below `folder`, which may exist. An existing `package.json` is extended, and a README.md, .gitignore or
 * tsconfig.json kept; any other existing file is an error (`FilesExist`), and nothing is written then. Throws `UnreadablePackage`.
 */
export async function writeTemplate(template: string, name: string, folder: string): Promise<WrittenTemplate> {
  const source = join(FOLDER, template);
  const files = await filesOf(source);
  const present = new Set(await presentOf([...files.keys()], folder));
  const taken = [...present].filter((file) => !KEPT.has(file) && file !== PACKAGE);
  if (taken.length > 0) throw new FilesExist(taken);
  await mkdir(folder, { recursive: true });
  const created = [...files].filter(([file]) => !present.has(file));
  const contents = new Map<string, string>();
  const kept = [...present].filter((file) => KEPT.has(file));
  const merged: string[] = [];
  for (const [file, stored] of created) contents.set(file, named(await readFile(join(source, stored), 'utf8'), file, name));
  const stored = files.get(PACKAGE);
  if (stored !== undefined) {
    const content = JSON.parse(await readFile(join(source, stored), 'utf8')) as JsonObject;
    const needs = { template: content, library: (await isInstalledIn(folder)) ? null : `^${VERSION}` };
    if (present.has(PACKAGE)) {
      const result = mergedPackage(await readFile(join(folder, PACKAGE), 'utf8'), needs);
      contents.set(PACKAGE, result.text);
      merged.push(PACKAGE);
      kept.push(...result.kept.map((script) => `${PACKAGE}: script ${script}`));
    } else contents.set(PACKAGE, newPackage(name, needs));
  }
  for (const [file, text] of contents) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  return { files: created.map(([file]) => file), merged, kept };
}

/** By their names in a project, sorted: their names in the template. */
async function filesOf(source: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const stored = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(source, join(parentPath, name)));
  return new Map(stored.map((file): [string, string] => [RENAMED[file] ?? file, file]).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function presentOf(files: readonly string[], folder: string): Promise<readonly string[]> {
  const present = await Promise.all(
    files.map(async (file) => {
      const names = await readdir(dirname(join(folder, file))).catch(() => [] as string[]);
      return names.includes(file.split(sep).at(-1) ?? '') ? [file] : [];
    }),
  );
  return present.flat();
}

function named(text: string, file: string, name: string): string {
  return NAMED.test(file) ? text.replaceAll(NAME, name) : text;
}

/** Is this package in the project? */
async function isInstalledIn(folder: string): Promise<boolean> {
  return relative(await realpath(folder), await realpath(ownFolder())).startsWith('node_modules');
}

export class FilesExist extends Error {
  constructor(files: readonly string[]) {
    super(`${files.join(', ')} ${files.length === 1 ? 'exists' : 'exist'} already`);
  }
}
