// `npm run bench`: prints the machine, tables and ratios. Takes at most 120 s. `npm run bench -- SECTION…` measures only the given sections.
// Section `postgres` (one, two and three servers on one PostgreSQL, about 100 s) is only measured if it is given.
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeMachine, probeFsync } from './machine.ts';
import { report } from './report.ts';
import { ON_REQUEST, type Results, SECTIONS, type SectionName } from './sections.ts';

const MEASURE = fileURLToPath(new URL('./measure.js', import.meta.url));

function measure(name: SectionName, folder: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = fork(MEASURE, [name, folder], { execArgv: ['--expose-gc'] });
    let result: unknown;
    child.on('message', (message) => {
      result = message;
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0 && result !== undefined) resolve(result);
      else reject(new Error(`${name} could not be measured (exit ${code})`));
    });
  });
}

function chosen(args: readonly string[]): readonly SectionName[] {
  const names = Object.keys(SECTIONS) as SectionName[];
  const unknown = args.filter((arg) => !Object.hasOwn(SECTIONS, arg));
  if (unknown.length > 0) {
    console.error(`no section ${unknown.join(', ')}; sections: ${names.join(', ')}`);
    process.exit(2);
  }
  return names.filter((name) => (args.length === 0 ? !ON_REQUEST.includes(name) : args.includes(name)));
}

const sections = chosen(process.argv.slice(2));
const startedMs = performance.now();
// In the project and not in /tmp, which may be in memory.
const folder = mkdtempSync(join(process.cwd(), 'node_modules', '.jamjet-bench-'));
try {
  console.log(`machine  ${describeMachine(folder)}`);
  const fsync = probeFsync(folder);
  const results: Partial<Record<SectionName, unknown>> = {};
  for (const name of sections) {
    process.stderr.write(`measuring ${name} …\n`);
    const home = mkdtempSync(join(folder, `${name}-`));
    results[name] = await measure(name, home);
    rmSync(home, { recursive: true });
  }
  console.log(report(fsync, results as Partial<Results>));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`took ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
