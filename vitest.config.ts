import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { PATIENCE_MS } from './test/support/patience.ts';
import { RequirementsReporter } from './test/support/requirements-reporter.ts';
import { TEMPORARY_FILES } from './test/support/temporary-files.ts';

/** Ends a test that hangs, whose waits have ended before. */
const TIMEOUT_MS = 2 * PATIENCE_MS;

/** Folders with tests that start no server process. */
const IN_PROCESS = readdirSync('test').filter((name) => !['console', 'faults', 'golden', 'support', 'system'].includes(name));

/** Tests of the checks that fault runs make; no processes. */
const FAULT_CHECKER = 'test/faults/checker.test.ts';

/** Tests that count the frames a browser draws each second; nothing else runs beside them. */
const FRAME_RATES = ['approvals-scroll', 'execution-load', 'executions-scroll'].map((name) => `test/console/${name}.test.ts`);

/** Test files that use the shared PostgreSQL server: those that import its helpers. */
const postgresFiles = IN_PROCESS.flatMap((folder) => testFiles(join('test', folder))).filter((file) =>
  /support\/(postgres|cluster)\.ts'/.test(readFileSync(file, 'utf8')),
);

/** Workers of the tests that wait for other processes, browsers and servers: one alone leaves a core idle half of the time. */
const WAITING_WORKERS = 2 * Math.max(2, availableParallelism());

/** For threads of the sources, which Node 20 cannot run. */
const THREAD_BUNDLES = 'test/support/thread-bundles.ts';
const execArgv = ['--import', new URL('test/support/typescript-threads.mjs', import.meta.url).href];

const inProcess = {
  // Test files share the modules of their worker: loading them again for each file would take longer than the tests.
  isolate: false,
  globalSetup: [THREAD_BUNDLES],
  setupFiles: ['test/support/properties.ts'],
  env: { TMPDIR: TEMPORARY_FILES },
  execArgv,
  server: { deps: { inline: ['clipanion'] } },
};

export default defineConfig({
  test: {
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
    teardownTimeout: TIMEOUT_MS,
    expect: { poll: { timeout: PATIENCE_MS } },
    maxWorkers: Math.max(2, availableParallelism()),
    reporters: ['default', new RequirementsReporter()],
    projects: [
      {
        extends: true,
        test: {
          ...inProcess,
          name: 'unit',
          include: [`test/{${IN_PROCESS.join(',')}}/**/*.test.ts`, FAULT_CHECKER],
          exclude: postgresFiles,
        },
      },
      {
        extends: true,
        test: {
          ...inProcess,
          name: 'postgres',
          include: postgresFiles,
          globalSetup: [...inProcess.globalSetup, 'test/support/postgres-project.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          isolate: false,
          execArgv,
          server: { deps: { external: [/\/dist\//] } },
          globalSetup: [THREAD_BUNDLES, 'test/support/fresh-build.ts'],
          include: ['test/system/**/*.test.ts'],
          maxWorkers: WAITING_WORKERS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'console',
          isolate: false,
          server: { deps: { external: [/\/dist\//] } },
          globalSetup: ['test/support/fresh-build.ts'],
          include: ['test/console/**/*.test.ts'],
          exclude: FRAME_RATES,
          maxWorkers: WAITING_WORKERS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'frames',
          globalSetup: ['test/support/fresh-build.ts'],
          include: FRAME_RATES,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          globalSetup: ['test/support/fresh-build.ts'],
          include: ['test/faults/**/*.test.ts'],
          exclude: [FAULT_CHECKER],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

function testFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}
