import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inFolder, jamjet } from '../terminal-session.ts';

const GOOD = `workflow: { id: good, version: 1.0.0 }
nodes:
  a: { type: tool, output_key: a, next: b }
  b: { type: condition, branches: [{ if: state.a.ok, next: c }], default: end }
  c: { type: tool }
tests:
  - name: takes c
    results: { a: { ok: true } }
    expect: { visited: [a, b, c] }
`;
const BAD = GOOD.replace('id: good', 'id: bad')
  .replace('name: takes c', 'name: \'a <b> & "c"\\e\'')
  .replace('[a, b, c]', '[a, b]');
const INVALID = 'workflow: { id: invalid }\nnodes:\n  a: { type: tool, next: bb }\n';
const WARNED = GOOD.replace('[{ if: state.a.ok, next: c }]', '[{ if: state.a.ok, next: c }, { if: 1 > 2, next: c }]');
const TRAP = `workflow: { id: trap }
nodes:
  a: { type: tool, output_key: a, next: [{ when: "state.flag == 'x'", to: end }, { else: a }] }
`;

const ENDLESS = `workflow: { id: endless }
nodes:
  a: { type: tool, output_key: a, next: [{ when: state.a.ok, to: end }, { else: a }] }
tests:
  - { name: goes round, expect: { status: completed } }
`;

function tested(args: readonly string[]) {
  return inFolder((folder) => {
    const files = { good: GOOD, bad: BAD, invalid: INVALID, warned: WARNED, trap: TRAP, endless: ENDLESS };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.yaml`), text);
    mkdirSync(join(folder, 'deep/er'), { recursive: true });
    writeFileSync(join(folder, 'deep/er/good.yaml'), GOOD);
    return jamjet(['test', ...args], { cwd: folder });
  });
}

describe('jamjet test', () => {
  it('passes a valid file, and lists what its tests do not cover', async () => {
    const { code, stdout, stderr } = await tested(['good.yaml']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('  ✓ takes c\n');
    expect(stdout).toContain('good.yaml:3:3  info  a final failure of "a" fails the run [failure_ends_run]');
    expect(stdout).toContain('explored 2 paths');
    expect(stdout).toContain(
      'the tests cover 3/3 nodes, 3/4 branches, 1/2 paths (75% of branches)\n    no test takes the branch b [else]',
    );
    expect(stdout).toMatch(/✓ passed \(1 test, 1 file\)\n$/);
  });

  it('shows how a run differs from the expectation', async () => {
    const { code, stdout } = await tested(['bad.yaml']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ a <b> & "c"\S+ {2}\(line 7\)\n {6}visited: expected a → b\n {20}got a → b → c\n {6}timeline:\n/);
    expect(stdout).toMatch(/\+0s {5}a {18}completed {2}\{"ok":true\}/);
    expect(stdout).toMatch(/✗ 1 file failed \(1 test, 1 failed, 1 file\)\n$/);
  });

  it('omits the middle of an endless run', async () => {
    const { code, stdout } = await tested(['endless.yaml']);
    expect(code).toBe(1);
    expect(stdout).toContain('not ended within 2,000 steps');
    expect(stdout).toMatch(/\+0s {5}a .*\n {8}… \d+ more lines\n {8}\+0s/);
    expect(stdout.split('\n').length).toBeLessThan(80);
  });

  it('prints the same as JSON', async () => {
    const { code, stdout } = await tested(['good.yaml', 'bad.yaml', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([
      { file: 'good.yaml', passed: true, tests: [{ name: 'takes c', passed: true, line: 7, visited: ['a', 'b', 'c'] }] },
      {
        file: 'bad.yaml',
        passed: false,
        tests: [{ passed: false, mismatches: [{ what: 'visited', expected: ['a', 'b'], actual: ['a', 'b', 'c'] }] }],
        coverage: { percent: 75 },
        exploration: { bounded: [] },
      },
    ]);
  });

  it('prints valid JUnit XML for any test name', async () => {
    const { code, stdout } = await tested(['good.yaml', 'bad.yaml', 'trap.yaml', '--format', 'junit']);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="jamjet test" tests="5" failures="2" time="[\d.]+">/,
    );
    expect(stdout).toContain('<testsuite name="good.yaml" tests="2" failures="0"');
    expect(stdout).toContain('name="a &lt;b&gt; &amp; &quot;c&quot;');
    expect(stdout).toContain('<failure message="visited: expected [&quot;a&quot;,&quot;b&quot;]');
    expect(stdout).toContain('trap.yaml:3:3 runs can reach &quot;a&quot; and never end');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML cannot hold them
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
  });

  it('fails on errors, on warnings with --strict, and on insufficient coverage', async () => {
    expect((await tested(['trap.yaml'])).code).toBe(1);
    expect((await tested(['invalid.yaml'])).stdout).toMatch(/invalid\.yaml:3:\d+ {2}error/);
    expect((await tested(['invalid.yaml'])).code).toBe(1);
    expect((await tested(['warned.yaml'])).code).toBe(0);
    expect((await tested(['warned.yaml', '--strict'])).code).toBe(1);
    expect((await tested(['good.yaml', '--coverage', '75'])).code).toBe(0);
    const short = await tested(['good.yaml', '--coverage', '80']);
    expect(short.code).toBe(1);
    expect(short.stdout).toContain('✗ the tests cover 75% of the branches, 80% are required');
  });

  it('passes every example', async () => {
    const { code, stdout } = await jamjet(['test', 'examples/**/*.yaml', '--strict'], { cwd: process.cwd() });
    expect(stdout).toMatch(/✓ passed \(38 tests, 22 files\)\n$/);
    expect(code).toBe(0);
  });

  it('expands file patterns', async () => {
    const { stdout } = await tested(['**/good.yaml', 'g*.yaml', '--json']);
    expect(JSON.parse(stdout).map(({ file }: { file: string }) => file)).toEqual(['deep/er/good.yaml', 'good.yaml']);
  });

  it.each([
    [['nowhere.yaml'], 'no such file'],
    [['no*.yaml'], 'no file matches'],
    [['none/*.yaml'], 'no such file'],
    [['good.yaml', '--format', 'xml'], 'text, json, junit'],
    [['good.yaml', '--json', '--format', 'junit'], 'not both'],
    [['good.yaml', '--coverage', '101'], 'from 0 to 100'],
    [['good.yaml', '--paths', '0'], 'whole number'],
    [['good.yaml', '--steps', 'x'], 'whole number'],
  ])('rejects %j', async (args, why) => {
    const { code, stderr } = await tested(args);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });

  it('explores thirty nodes in a few steps each, whatever the number of paths', async () => {
    const nodes = Array.from({ length: 10 }, (_, i) => {
      const next = i === 9 ? 'end' : `t${i + 1}`;
      return `  t${i}: { type: tool, output_key: k${i}, next: c${i}, retry: { max_attempts: 3 } }
  c${i}: { type: condition, branches: [{ if: "state.k${i}.n > ${i}", next: a${i} }], default: ${next} }
  a${i}: { type: human_approval, timeout: 3d, on_approved: ${next}, on_rejected: ${next}, on_timeout: ${next} }\n`;
    }).join('');
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'w.yaml'), `workflow: { id: w, version: 1.0.0 }\nnodes:\n${nodes}`);
      const { code, stdout } = await jamjet(['test', 'w.yaml', '--json'], { cwd: folder });
      expect(code).toBe(2);
      const [{ exploration }] = JSON.parse(stdout);
      expect(exploration).toMatchObject({ states: 51, steps: 101 });
    });
  });
});

it('says that there are no tests, and exits with 2', async () => {
  const { code, stdout, stderr } = await inFolder((folder) => {
    writeFileSync(join(folder, 'w.yaml'), GOOD.slice(0, GOOD.indexOf('tests:')));
    return jamjet(['test', 'w.yaml'], { cwd: folder });
  });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^warning: no tests: only the possible runs were explored\. /);
  expect(stdout).toContain('no tests (0 tests, 1 file)');
});
