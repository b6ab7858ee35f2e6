import { describe, expect, it } from 'vitest';
import { type Engine, type FaultRun, runWithFaults } from './fault-run.ts';
import { describeViolations, writeReport } from './report.ts';

/** Settings of `npm run faults` (scripts/faults.mjs): a longer run with a report. */
const MINUTES = process.env.FAULTS_MINUTES === undefined ? null : Number(process.env.FAULTS_MINUTES);
const SEED = Number(process.env.FAULTS_SEED ?? 1 + Math.floor(Math.random() * 1_000_000));
const ENGINES = (process.env.FAULTS_ENGINES ?? 'sqlite,postgres').split(',') as readonly Engine[];
const REPORT = process.env.FAULTS_REPORT;

/** Duration in `npm run test:all`. PostgreSQL has more kinds of faults. */
const SHORT_MS = { sqlite: 12_000, postgres: 20_000 } as const;
/** Maximum time until everything has ended and is checked, on a busy machine. */
const MAX_END_MS = 900_000;

const runs: FaultRun[] = [];

describe(`a cluster under faults, with seed ${SEED}`, () => {
  it.each(ENGINES)(
    'loses no acknowledged message and repeats none on %s',
    async (engine) => {
      const faultsMs = MINUTES === null ? SHORT_MS[engine] : (MINUTES * 60_000) / ENGINES.length;
      const progress = MINUTES === null ? () => {} : (line: string) => process.stdout.write(`${line}\n`);
      const done = await runWithFaults({ engine, seed: SEED, faultsMs, longRun: MINUTES !== null, progress });
      runs.push(done);
      for (const what of done.unavailable) process.stdout.write(`NOT AVAILABLE on ${engine}: ${what}\n`);
      // Printed immediately, before the run of the other engine.
      if (MINUTES !== null) process.stdout.write(`${describeViolations(done)}\n`);
      expect(done.history.violations.length, describeViolations(done)).toBe(0);
      expect(done.history.faults.length, 'number of faults').toBeGreaterThan(0);
      expect(done.executions, 'number of checked executions').toBeGreaterThan(0);
    },
    (MINUTES ?? 1) * 60_000 + MAX_END_MS,
  );

  it.runIf(REPORT !== undefined)('writes the report', () => {
    writeReport(REPORT ?? '', runs);
  });
});
