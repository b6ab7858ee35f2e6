import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const HOOK = 'export async function load(url, context, next) { process._rawDebug(url); return next(url, context); }';
/** What is required, hooks of Node 20 do not see. */
const PRINT_REQUIRED = "process.once('exit', () => { for (const path in Module._cache) process._rawDebug(path); });";
const REGISTER = `import Module, { register } from 'node:module'; register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOK)})); ${PRINT_REQUIRED}`;

/** For `node --import`: prints the URL or path of every module that is loaded to standard error. */
export const PRINTING_LOADER = `data:text/javascript,${encodeURIComponent(REGISTER)}`;

const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Readonly<Record<string, object>>;
const DECLARED: ReadonlySet<string> = new Set(Object.keys({ ...dependencies, ...devDependencies }));

/** The packages of which a program loads modules, and that this one declares, in alphabetical order. */
export function loadedPackages(program: string): readonly string[] {
  const args = ['--import', PRINTING_LOADER, '--input-type=module', '--eval', program];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return packagesIn(stderr);
}

/** Those in what `PRINTING_LOADER` has printed. */
export function packagesIn(printed: string): readonly string[] {
  const folders = [...printed.matchAll(/\/dist\/bundle\/(.+)/g)].flatMap(([, chunk = '']) => packagesByChunk()[chunk] ?? []);
  const files = `${printed}${folders.map((folder) => `\n${folder}/`).join('')}`;
  const names = [...files.matchAll(/\/node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//g)].map(([, name = '']) => name);
  return [...new Set(names)].filter((name) => DECLARED.has(name)).sort();
}

/** The folders of the bundled packages that each file of the shipped program has parts of. */
function packagesByChunk(): Readonly<Record<string, readonly string[]>> {
  return JSON.parse(readFileSync(resolve('dist/packages-by-chunk.json'), 'utf8'));
}
