import { spawnSync } from 'node:child_process';

const HOOK = 'export async function load(url, context, next) { process._rawDebug(url); return next(url, context); }';
const REGISTER = `import { register } from 'node:module'; register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOK)}));`;

/** For `node --import`: prints the URL of every module to standard error when it is loaded. */
export const PRINTING_LOADER = `data:text/javascript,${encodeURIComponent(REGISTER)}`;

/** The packages whose modules a program loads, in alphabetical order. */
export function loadedPackages(program: string): readonly string[] {
  const args = ['--import', PRINTING_LOADER, '--input-type=module', '--eval', program];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const names = [...stderr.matchAll(/\/node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//g)].map(([, name = '']) => name);
  return [...new Set(names)].sort();
}
