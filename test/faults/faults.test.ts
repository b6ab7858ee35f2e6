import { describe, expect, it } from 'vitest';
import { type Engine, type FaultRun, runWithFaults } from './fault-run.ts';
import { describeViolations, writeReport } from './report.ts';

/** What `npm run faults` asks for (scripts/faults.mjs): more of it, which is reported. */
const MINUTES = process.env.FAULTS_MINUTES === undefined ? null : Number(process.env.FAULTS_MINUTES);
const SEED = Number(process.env.FAULTS_SEED ?? 1 + Math.floor(Math.random() * 1_000_000));
const ENGINES = (process.env.FAULTS_ENGINES ?? 'sqlite,postgres').split(',') as readonly Engine[];
const REPORT = process.env.FAULTS_REPORT;

/** Of the default tests. PostgreSQL has more that can break. */
const SHORT_MS = { sqlite: 12_000, postgres: 20_000 } as const;
/** Until everything has come to its end and is checked, on a machine with much else to do. */
const MAX_END_MS = 900_000;

const runs: FaultRun[] = [];

describe(`whatever breaks, with seed ${SEED}`, () => {
  it.each(ENGINES)(
    'nothing acknowledged is lost or happens twice on %s',
    async (engine) => {
      const faultsMs = MINUTES === null ? SHORT_MS[engine] : (MINUTES * 60_000) / ENGINES.length;
      const progress = MINUTES === null ? () => {} : (line: string) => process.stdout.write(`${line}\n`);
      const done = await runWithFaults({ engine, seed: SEED, faultsMs, longRun: MINUTES !== null, progress });
      runs.push(done);
      for (const what of done.unavailable) process.stdout.write(`LEFT OUT on ${engine}: ${what}\n`);
      // At once: the other engine has its turn before what has failed is told.
      if (MINUTES !== null) process.stdout.write(`${describeViolations(done)}\n`);
      expect(done.history.violations.length, describeViolations(done)).toBe(0);
      expect(done.history.faults.length, 'faults that happened').toBeGreaterThan(0);
      expect(done.executions, 'executions that were checked').toBeGreaterThan(0);
    },
    (MINUTES ?? 1) * 60_000 + MAX_END_MS,
  );

  it.runIf(REPORT !== undefined)('is reported', () => {
    writeReport(REPORT ?? '', runs);
  });
});
