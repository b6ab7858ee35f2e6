import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkTests, checkWorkflow } from '../../src/authoring/check.ts';
import { type CheckedTests, checkObject, checkObjectTests } from '../../src/authoring/check-object.ts';
import { type Authored, authoredOf } from '../../src/builder/definition.ts';

/** Workflow files of the examples; each has a twin of the same name in TypeScript. */
const FILES = readdirSync('examples', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => `examples/${name}`)
  .sort();

const twinOf = (file: string): string => file.replace(/\.yaml$/, '.ts');

describe('examples in TypeScript', () => {
  it('are all of the examples', () => expect(FILES.length).toBeGreaterThanOrEqual(18));

  it.each(FILES)('become the same documents as in YAML, byte for byte: %s', async (file) => {
    const written = checkWorkflow(readFileSync(file, 'utf8'), file);
    const built = checkObject(await definedIn(twinOf(file)));
    expect([...written.diagnostics, ...built.diagnostics]).toEqual([]);
    const text = ({ workflows }: typeof written): string => JSON.stringify(workflows.map(({ document }) => document));
    expect(text(built)).toBe(text(written));
  });

  it.each(FILES)('have the same tests as in YAML: %s', async (file) => {
    const written = checkTests(readFileSync(file, 'utf8'), file);
    const built = checkObjectTests(await definedIn(twinOf(file)));
    expect(testsText(built)).toBe(testsText(written));
  });

  it('compile with strict types against the declarations of the package', () => {
    execFileSync(process.execPath, ['node_modules/typescript-native/bin/tsc', '-p', 'examples/tsconfig.json'], {
      encoding: 'utf8',
    });
  });
});

/** What a module defines itself: it exports one workflow, agent or fleet. */
async function definedIn(path: string): Promise<Authored> {
  const exported: object = await import(pathToFileURL(resolve(path)).href);
  const [authored, ...others] = Object.values(exported).flatMap((value) => authoredOf(value) ?? []);
  if (authored === undefined || others.length > 0) throw new Error(`${path} must export one definition`);
  return authored;
}

/** The tests as text, without their lines. */
function testsText(units: readonly CheckedTests[]): string {
  const tests = units.map(({ unit, tests }) => ({
    unit,
    tests: tests.map(({ line: _, column: __, results, ...test }) => ({ ...test, results: [...results] })),
  }));
  return JSON.stringify(tests, null, 2);
}
