// `npm run bench`: prints the machine, tables and ratios; takes at most 120 s on a quiet machine with two cores. `npm run bench -- --help`.
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkOut } from './compare/checkout.ts';
import { compare } from './compare/compare.ts';
import type { Table } from './figures.ts';
import { GUARDED, guardedFigures, judge, readGuarded, writeGuarded } from './guard/guard.ts';
import { cpuMsOfExitedChildren, describeMachine, difference, type FsyncTimes, fsyncTimes } from './machine.ts';
import { measure } from './measuring.ts';
import { report } from './report.ts';
import { isSection, SECTION_NAMES, SECTIONS, type SectionName } from './sections/index.ts';
import { fixed, table } from './table.ts';

const DIST = dirname(dirname(fileURLToPath(import.meta.url)));

const PROJECT = dirname(DIST);
const GUARD_TABLE = join(PROJECT, 'bench', 'guard', 'table.json');
const DEFAULT_ROUNDS = 5;
/** Compared if no section is named: two minutes for five rounds. */
const COMPARED: readonly SectionName[] = ['inProcess', 'perExecution', 'smallExecutions'];

function usage(): string {
  const width = Math.max(...SECTION_NAMES.map((name) => name.length));
  const line = (name: SectionName) => `  ${name.padEnd(width)}  ${SECTIONS[name].about}`;
  return [
    'usage: npm run bench [-- [--folder FOLDER] SECTION…]',
    '       npm run bench -- compare BASE [--rounds N] [--folder FOLDER] [SECTION…]',
    '       npm run bench -- guard [--write] [--folder FOLDER]',
    '',
    'Databases are written to a temporary folder in FOLDER (default: in the project). In memory, as in',
    '/dev/shm, CPU times and memory can be compared while the disk is busy; latencies mean nothing there.',
    '',
    'compare builds BASE, a Git revision or a folder, with the bench of this folder, measures both in',
    `alternation (default ${DEFAULT_ROUNDS} rounds of ${COMPARED.join(', ')}), and says`,
    'which differences are beyond the noise. BASE is not changed.',
    '',
    `guard counts what does not depend on the load of the machine (${GUARDED.join(', ')}),`,
    'and fails if a count differs from bench/guard/table.json by more than 3 %. --write replaces the table.',
    '',
    'Sections:',
    ...SECTION_NAMES.filter((name) => !isOnRequest(name)).map(line),
    '',
    'Measured only if named:',
    ...SECTION_NAMES.filter(isOnRequest).map(line),
  ].join('\n');
}

function isOnRequest(name: SectionName): boolean {
  return SECTIONS[name].onRequest === true;
}

function misused(problem: string): never {
  console.error(`${problem}\n\n${usage()}`);
  process.exit(2);
}

function sectionsIn(names: readonly string[]): readonly SectionName[] {
  const unknown = names.filter((name) => !isSection(name));
  if (unknown.length > 0) misused(`no section ${unknown.join(', ')}`);
  return names.filter(isSection);
}

async function print(sections: readonly SectionName[], folder: string): Promise<void> {
  const { append, overwrite } = fsyncTimes(folder);
  const times = ({ p50Ms, p99Ms }: FsyncTimes) => `p50 ${fixed(p50Ms)} ms, p99 ${fixed(p99Ms)} ms`;
  console.log(`fsync    of 4 KiB appended: ${times(append)} · overwritten: ${times(overwrite)}`);
  const results = new Map<string, readonly Table[]>();
  const took: string[][] = [];
  for (const name of sections) {
    process.stderr.write(`measuring ${name} …`);
    const startedMs = performance.now();
    const cpuMs = cpuMsOfExitedChildren(process.pid);
    const missing = SECTIONS[name].missing?.();
    if (missing === undefined) results.set(name, await measure(DIST, name, folder));
    const seconds = fixed((performance.now() - startedMs) / 1000, 1);
    const usedMs = difference(cpuMsOfExitedChildren(process.pid), cpuMs);
    took.push([name, seconds, fixed(usedMs === null ? null : usedMs / 1000, 1), missing ?? '']);
    process.stderr.write(` ${missing ?? `${seconds} s`}\n`);
  }
  console.log(report(results));
  console.log(`\nTime of the sections\n${table(['', 'took s', 'CPU s', ''], took)}`);
}

async function printComparison(base: string, names: readonly string[], rounds: number, folder: string): Promise<void> {
  const sections = names.length === 0 ? COMPARED : sectionsIn(names);
  process.stderr.write(`building ${base} …\n`);
  const built = checkOut(base, PROJECT, join(folder, 'base'));
  console.log(`compared with ${base}\n\n${await compare({ rounds, sections, base: built, head: DIST, folder })}`);
}

async function guard(folder: string, write: boolean): Promise<void> {
  const figures = await guardedFigures(DIST, folder);
  const { text, holds } = judge(figures, readGuarded(GUARD_TABLE));
  console.log(text);
  if (write) writeGuarded(GUARD_TABLE, figures);
  else if (!holds) {
    console.log('What costs more, or less, changes the table in its own commit, with the reason: npm run bench -- guard --write');
    process.exitCode = 1;
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
    // By default in the project and not in /tmp, which may be in memory.
    folder: { type: 'string', default: join(PROJECT, 'dist') },
  },
});
if (values.help) {
  console.log(usage());
  process.exit(0);
}
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) misused(`--rounds ${values.rounds} is not a number of rounds`);
const comparing = positionals[0] === 'compare';
const [base, ...compared] = comparing ? positionals.slice(1) : [];
if (comparing && base === undefined) misused('compare with which base?');
const startedMs = performance.now();
const folder = mkdtempSync(join(resolve(values.folder), '.jamjet-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
console.log(`machine  ${describeMachine(folder)}`);
if (base !== undefined) await printComparison(base, compared, rounds, folder);
else if (positionals[0] === 'guard') await guard(folder, values.write);
else if (positionals.length > 0) await print(sectionsIn(positionals), folder);
else
  await print(
    SECTION_NAMES.filter((name) => !isOnRequest(name)),
    folder,
  );
console.log(`took ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
