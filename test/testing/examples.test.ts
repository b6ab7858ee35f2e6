import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureReasons, reportOf } from '../../src/testing/report.ts';
import { examine } from './examine-file.ts';

const BOUNDS = { paths: 1_000, steps: 1_000 };

const EXAMPLES = readdirSync('examples', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => join('examples', name));

describe('the examples', () => {
  it.each(EXAMPLES)('%s passes its tests, and exploring it shows no error', (file) => {
    for (const examined of examine(readFileSync(file, 'utf8'), file, BOUNDS, () => 0)) {
      expect(examined.tests.flatMap(failureReasons)).toEqual([]);
      expect(reportOf(file, examined, { strict: true, coverage: null }).problems).toEqual([]);
      expect(examined.exploration?.bounded).toEqual([]);
    }
  });

  it('have tests with full coverage for eleven of them', () => {
    const covered = EXAMPLES.filter((file) => {
      const [{ tests, coverage }] = examine(readFileSync(file, 'utf8'), file, BOUNDS, () => 0);
      return tests.length > 0 && coverage?.percent === 100;
    });
    expect(covered).toHaveLength(11);
  });
});

describe('the documentation', () => {
  const page = readFileSync('docs/testing.md', 'utf8');
  const snippets = ['docs/testing.md', 'docs/workflow-yaml.md'].flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```/gm)]
      .map(([, text = '']) => ({ file, text }))
      .filter(({ text }) => text.includes('\ntests:')),
  );

  it('has workflows whose tests pass', () => {
    expect(snippets.length).toBeGreaterThanOrEqual(2);
    for (const { file, text } of snippets) {
      const [examined] = examine(text, file, BOUNDS, () => 0);
      expect(examined.tests.length).toBeGreaterThan(0);
      expect(examined.tests.flatMap(failureReasons)).toEqual([]);
      expect(examined.diagnostics).toEqual([]);
    }
  });

  it('names every finding', () => {
    const codes = [...readFileSync('src/testing/exploration/findings.ts', 'utf8').matchAll(/^ {2}\| '(\w+)'/gm)].map(
      ([, code = '']) => code,
    );
    expect(codes.length).toBeGreaterThan(8);
    for (const code of codes) expect(page).toContain(`\`${code}\``);
  });
});
