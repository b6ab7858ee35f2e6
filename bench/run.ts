// `npm run bench`: prints the machine, tables and ratios; takes at most 120 s on a quiet machine with two cores. `npm run bench -- --help`.
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Table } from './figures.ts';
import { describeMachine, probeFsync } from './machine.ts';
import { measure } from './measuring.ts';
import { report } from './report.ts';
import { isSection, SECTION_NAMES, SECTIONS, type SectionName } from './sections/index.ts';
import { fixed } from './table.ts';

const DIST = dirname(dirname(fileURLToPath(import.meta.url)));

function usage(): string {
  const width = Math.max(...SECTION_NAMES.map((name) => name.length));
  const line = (name: SectionName) => `  ${name.padEnd(width)}  ${SECTIONS[name].about}`;
  return [
    'usage: npm run bench [-- SECTION…]',
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

function chosen(args: readonly string[]): readonly SectionName[] {
  if (args.includes('--help')) {
    console.log(usage());
    process.exit(0);
  }
  const unknown = args.filter((arg) => !isSection(arg));
  if (unknown.length > 0) {
    console.error(`no section ${unknown.join(', ')}\n\n${usage()}`);
    process.exit(2);
  }
  return SECTION_NAMES.filter((name) => (args.length === 0 ? !isOnRequest(name) : args.includes(name)));
}

async function print(sections: readonly SectionName[], folder: string): Promise<void> {
  console.log(`machine  ${describeMachine(folder)}`);
  const fsync = probeFsync(folder);
  console.log(`fsync    p50 ${fixed(fsync.p50Ms)} ms · p99 ${fixed(fsync.p99Ms)} ms (durable 4 KiB append)`);
  const results = new Map<string, readonly Table[]>();
  for (const name of sections) {
    process.stderr.write(`measuring ${name} …\n`);
    results.set(name, await measure(DIST, name, folder));
  }
  console.log(report(fsync, results));
}

const sections = chosen(process.argv.slice(2));
const startedMs = performance.now();
// In the project and not in /tmp, which may be in memory.
const folder = mkdtempSync(join(process.cwd(), 'node_modules', '.jamjet-bench-'));
try {
  await print(sections, folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`took ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
