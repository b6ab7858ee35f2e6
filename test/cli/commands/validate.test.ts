import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inFolder, jamjet } from '../terminal-session.ts';

const GOOD = 'workflow: { id: good }\nnodes:\n  a: { type: tool, next: b }\n  b: { type: tool }\n';
const SPLIT = 'workflow: { id: split }\nnodes:\n  a: { type: tool, next: "b\\nc" }\n';
const BAD = 'workflow: { id: bad }\nnodes:\n  a: { type: tool, next: bb }\n  b: { type: tol }\n';

describe('jamjet validate', () => {
  function checked(args: readonly string[]) {
    return inFolder((folder) => {
      writeFileSync(join(folder, 'good.yaml'), GOOD);
      writeFileSync(join(folder, 'bad.yaml'), BAD);
      writeFileSync(join(folder, 'split.yaml'), SPLIT);
      return jamjet(['validate', ...args], { cwd: folder });
    });
  }

  it('accepts a valid file', async () => {
    const { code, stdout, stderr } = await checked(['good.yaml']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^✓ good\.yaml is valid\n {4}needs function a \(a\): --tools MODULE.*\n {4}needs function b \(b\): .*\n$/,
    );
  });

  it('lists every problem of every file with its line and a hint', async () => {
    const { code, stdout } = await checked(['good.yaml', 'bad.yaml']);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^✓ good\.yaml is valid\n(?: {4}needs .*\n){2}bad\.yaml:3:\d+ {2}error {2}.*"bb".*\n {4}→ .*\nbad\.yaml:4:\d+ {2}error .*\n {4}→ did you mean "tool"\?\n✗ bad\.yaml is not valid \(2 errors/,
    );
  });

  it('prints a problem on one line, whatever names it contains', async () => {
    const { stdout } = await checked(['split.yaml']);
    expect(stdout).toMatch(/^split\.yaml:3:\d+ {2}error {2}.*"b c".*\n {4}→ .*\n✗ split\.yaml is not valid \(1 error\)/);
  });

  it('fails on warnings with --strict', async () => {
    const [lenient, strict] = await inFolder(async (folder) => {
      const text = 'workflow: { id: w }\nnodes:\n  a: { type: condition, branches: [{ if: "1 +", next: end }], default: end }\n';
      writeFileSync(join(folder, 'warned.yaml'), text);
      const run = (args: readonly string[]) => jamjet(['validate', 'warned.yaml', ...args], { cwd: folder });
      return [await run([]), await run(['--strict'])];
    });
    expect([lenient.code, strict.code]).toEqual([0, 1]);
    expect(strict.stdout).toContain('✗ warned.yaml has warnings, which fail it with --strict (1 warning)');
  });

  it('reports warnings beside errors, in one pass', async () => {
    const { stdout } = await inFolder((folder) => {
      const text =
        'workflow: { id: w }\nnodes:\n  a: { type: tol }\n  b: { type: condition, branches: [{ if: "1 +", next: end }], default: end }\n';
      writeFileSync(join(folder, 'both.yaml'), text);
      return jamjet(['validate', 'both.yaml'], { cwd: folder });
    });
    expect(stdout).toMatch(/both\.yaml:3:\d+ {2}error /);
    expect(stdout).toMatch(/both\.yaml:4:\d+ {2}warning .*cannot be read/);
    expect(stdout).toContain('(1 error, 1 warning)');
  });

  it('writes the IR into a file', async () => {
    const written = await inFolder(async (folder) => {
      writeFileSync(join(folder, 'good.yaml'), GOOD);
      expect((await jamjet(['validate', 'good.yaml', '-o', 'ir.json'], { cwd: folder })).code).toBe(0);
      return JSON.parse(readFileSync(join(folder, 'ir.json'), 'utf8'));
    });
    expect(written).toMatchObject({ workflow_id: 'good' });
  });

  it('prints the same as JSON', async () => {
    const { code, stdout } = await checked(['bad.yaml', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      file: 'bad.yaml',
      valid: false,
      requirements: [],
      diagnostics: [
        { severity: 'error', line: 3 },
        { severity: 'error', line: 4 },
      ],
    });
  });

  it('prints the IR, and problems to standard error', async () => {
    const good = await checked(['good.yaml', '--output', '-']);
    expect(JSON.parse(good.stdout)).toMatchObject({ workflow_id: 'good', start_node: 'a' });
    const bad = await checked(['bad.yaml', '-o', '-']);
    expect(bad).toMatchObject({ code: 1, stdout: '' });
    expect(bad.stderr).toContain('bad.yaml is not valid');
  });
});
