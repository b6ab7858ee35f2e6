import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { instrument } from './instrument.ts';
import { describeMutant, mutantsOf } from './mutants.ts';
import type { Report } from './report.ts';

const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a run over planted bugs', () => {
  const report = join(folder, 'report.json');

  it('kills what a test notices, ends what is endless, reports the rest and exits with 1', () => {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
    const place = ['--area', 'planted', '--at', 'test/mutation/planted/clamp.ts:5'];
    const args = ['node_modules/jiti/lib/jiti-cli.mjs', 'test/mutation/run.ts', ...place, '--report', report];
    const run = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    expect(run.status, run.stderr).toBe(1);
    const { results } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    expect(results.map(({ mutant, verdict }) => `${mutant.replace(/^.*?:/, '')}: ${verdict}`)).toEqual([
      '5:10 comparison: result > high → (result) >= (high): killed',
      '5:10 comparison: result > high → (result) <= (high): killed',
      '5:25 statement: result -= 1; → removed: endless',
      '5:25 arithmetic: result -= 1 → result += 1: endless',
      '5:35 number: 1 → 2: survived',
    ]);
  });
});

describe('the mutants of a file', () => {
  const mutated = (source: string) =>
    mutantsOf('a.ts', source).map((mutant) => describeMutant({ ...mutant, id: 0 }).replace(/^a\.ts:\d+:\d+ /, ''));

  it('are none in types, imports, texts of errors and log lines', () => {
    expect(mutated(`import { a } from 'a'; type B = 1 | true; interface C { d: 2 }`)).toEqual([]);
    expect(mutated('this.#log.warn({ ms: 1 }, a ? "b" : "c");')).toEqual([
      'statement: this.#log.warn({ ms: 1 }, a ? "b" : "c"); → removed',
    ]);
    expect(mutated('throw new RangeError(describe(a + 1, true));')).toEqual([]);
  });

  it('replace an optional chain as a whole', () => {
    expect(mutated('const a = b?.c.d?.(e);')).toEqual([
      'optional: b?.c.d?.(e) → b?.c.d(e)',
      'optional: b?.c.d?.(e) → b.c.d?.(e)',
    ]);
  });

  it('change nothing while they are switched off, and one thing each when switched on', () => {
    const source = 'let n = 0; for (let i = 0; i < 3; i += 1) if (i !== 1 && i < 5) n += i; else n += 10; result(n ?? 7);';
    const mutants = mutantsOf('a.ts', source).map((mutant, id) => ({ ...mutant, id }));
    const evaluate = new Function('__mutant', '__round', 'result', instrument('a.ts', source, mutants));
    const resultWith = (active: number | null) => {
      let rounds = 0;
      let found: unknown = 'nothing';
      const round = () => {
        rounds += 1;
        if (rounds > 100) throw new Error('endless');
      };
      try {
        evaluate(
          (id: number) => id === active,
          round,
          (n: unknown) => (found = n),
        );
      } catch {
        found = 'endless';
      }
      return found;
    };
    expect(resultWith(null)).toBe(12);
    const unchanged = mutants.filter((mutant) => resultWith(mutant.id) === 12).map((mutant) => mutant.text);
    expect(unchanged).toEqual(['1', '(i) <= (5)', '6', 'n', '8']);
  });
});
