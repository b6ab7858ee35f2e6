import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpu, exact, type Table } from '../figures.ts';

const DIST = new URL('../../', import.meta.url);
const MODULES = [
  'src/index.js',
  'src/client/index.js',
  'src/library/postgres.js',
  'src/library/server.js',
  'src/library/worker.js',
  'src/library/yaml.js',
  'src/runtime/index.js',
  'store/sqlite/open.js',
  'src/cli/main.js',
];
/** Of which the least CPU counts. */
const RUNS = 3;

const IMPORTING = `
  const before = process.cpuUsage();
  await import(process.env.MODULE);
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / 1000);
`;
/** Writes a character for each file that is loaded, from packages too. */
const COUNTING = `data:text/javascript,${encodeURIComponent(
  "import { writeSync } from 'node:fs'; export async function load(url, context, next) { if (url.startsWith('file:')) writeSync(2, '.'); return next(url, context); }",
)}`;

/** Imports modules as they are compiled, not bundled, each in a process of its own. */
export function imports(): readonly Table[] {
  const rows = MODULES.map((label) => {
    const { printed } = importing(label, '--no-warnings', '--experimental-loader', COUNTING);
    const ms = Math.min(...Array.from({ length: RUNS }, () => importing(label).ms));
    return { label, values: [printed.length, ms] };
  });
  return [{ title: 'Imports', columns: [exact('modules', 0), cpu('CPU ms', 0)], rows }];
}

function importing(module: string, ...options: readonly string[]): { readonly ms: number; readonly printed: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...options, '--input-type=module', '--eval', IMPORTING], {
    encoding: 'utf8',
    env: { ...process.env, MODULE: fileURLToPath(new URL(module, DIST)) },
  });
  if (status !== 0) throw new Error(`${module}: ${stderr}`);
  return { ms: Number(stdout), printed: stderr };
}
