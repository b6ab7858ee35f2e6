import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { TEMPLATES } from '../../../src/cli/input/templates.ts';
import { VERSION } from '../../../src/server/config.ts';
import { inFolder, jamjet, TerminalSession } from '../terminal-session.ts';

const NAMES = Object.keys(TEMPLATES);
/** Those in YAML. */
const FILES = NAMES.filter((name) => name !== 'typescript');
/** What the run of a template leaves in its state. */
const EXPECTED: Readonly<Record<string, JsonObject>> = {
  'hello-agent': { answer: expect.stringContaining('a crash loses nothing') },
  'research-agent': { report: expect.stringContaining('durable-execution.md') },
  'code-reviewer': { judgement: { score: 2 }, review: { verdict: 'request_changes' }, written: { findings: 2 } },
};

describe('jamjet create', () => {
  it.each(FILES)('writes a project from %s that is valid, and runs without a provider', (template) =>
    inFolder(async (folder) => {
      const created = await jamjet(['create', 'my-project', '-t', template], { cwd: folder });
      expect(created).toMatchObject({ code: 0, stderr: '' });
      const cwd = join(folder, 'my-project');
      const validated = await jamjet(['validate', 'workflow.yaml', '--json'], { cwd });
      expect(JSON.parse(validated.stdout)).toMatchObject({ valid: true, diagnostics: [] });
      expect(readFileSync(join(cwd, 'README.md'), 'utf8')).toMatch(/^# my-project\n/);

      const run = ['run', 'workflow.yaml', '--input', '@input.json', '--script', 'answers.json'];
      if (template === 'approval-workflow') {
        const session = new TerminalSession(run, { cwd, tty: true });
        await session.shows('Approve review?');
        session.type('n Offer a voucher, too.');
        expect((await session.ended).code).toBe(0);
        expect(session.screen).toContain('and a voucher.');
        return;
      }
      const { code, stdout } = await jamjet([...run, '--json'], { cwd });
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', final_state: { state: EXPECTED[template] } });
    }),
  );

  it('says what it wrote, and what to do next', () =>
    inFolder(async (folder) => {
      const { stdout } = await jamjet(['create', 'a b'], { cwd: folder });
      expect(stdout).toBe(
        "✓ a b from the template hello-agent\n  README.md\n  answers.json\n  input.json\n  workflow.yaml\n\n  cd 'a b'\n  jamjet run workflow.yaml --input @input.json --script answers.json\n",
      );
      expect(JSON.parse((await jamjet(['create', 'b', '--json'], { cwd: folder })).stdout)).toMatchObject({
        name: 'b',
        template: 'hello-agent',
        files: ['README.md', 'answers.json', 'input.json', 'workflow.yaml'],
        merged: [],
        kept: [],
      });
    }));

  it('writes a project in TypeScript, which runs before anything is installed', () =>
    inFolder(async (folder) => {
      const created = await jamjet(['create', 'Lamp Shop', '-t', 'typescript'], { cwd: folder });
      expect(created).toMatchObject({ code: 0, stderr: '' });
      const cwd = join(folder, 'Lamp Shop');
      expect(readdirSync(cwd).sort()).toEqual([
        '.gitignore',
        'README.md',
        'input.json',
        'package.json',
        'tools.ts',
        'tsconfig.json',
        'workflow.ts',
      ]);
      const written = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'));
      expect(written).toMatchObject({ name: 'lamp-shop', type: 'module', scripts: { dev: 'jamjet dev workflow.ts --watch' } });
      expect(written.dependencies['jamjet-runtime']).toBe(`^${VERSION}`);
      expect(created.stdout).toContain(
        `\n  cd 'Lamp Shop'\n  npm install --no-save ${realpathSync('.')}\n  npx jamjet run workflow.ts --input @input.json\n`,
      );
      const own = JSON.parse(readFileSync('package.json', 'utf8')).devDependencies;
      for (const [name, range] of Object.entries(written.devDependencies)) expect(range).toBe(`^${own[name]}`);

      const validated = await jamjet(['validate', 'workflow.ts', '--json'], { cwd });
      expect(JSON.parse(validated.stdout)).toMatchObject({ valid: true, diagnostics: [] });
      const { stdout } = await jamjet(['run', 'workflow.ts', '--input', '@input.json', '--json'], { cwd });
      expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', final_state: { state: { order: { total: 60 } } } });
      expect((await jamjet(['test', 'workflow.ts'], { cwd })).stdout).toContain('✓ passed (3 tests, 1 file)');
    }));

  it('extends the package.json of a project, and keeps its other files', () =>
    inFolder(async (folder) => {
      const text = '{\n    "name": "shop",\n    "scripts": { "test": "vitest" }\n}\n';
      writeFileSync(join(folder, 'package.json'), text);
      writeFileSync(join(folder, 'tsconfig.json'), '{}');
      const { stdout } = await jamjet(['init', '-t', 'typescript'], { cwd: folder });
      expect(stdout).toContain('  package.json (extended)\n  kept as it was: tsconfig.json, package.json: script test\n');
      expect(readFileSync(join(folder, 'tsconfig.json'), 'utf8')).toBe('{}');
      expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).toMatchObject({
        name: 'shop',
        scripts: { test: 'vitest', types: 'tsc --noEmit' },
        devDependencies: { typescript: expect.any(String) },
      });
    }));

  it('writes nothing beside a package.json that it cannot read', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'package.json'), '{ "name": ');
      const refused = await jamjet(['init', '-t', 'typescript'], { cwd: folder });
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('package.json is not valid JSON') });
      expect(readdirSync(folder)).toEqual(['package.json']);
    }));

  it('lists its templates', async () => {
    expect((await jamjet(['init', '--list-templates'])).stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
      ...NAMES,
      '',
    ]);
    expect(JSON.parse((await jamjet(['create', '--list-templates', '--json'])).stdout)).toHaveLength(NAMES.length);
  });

  it('overwrites nothing', () =>
    inFolder(async (folder) => {
      expect((await jamjet(['init'], { cwd: folder })).code).toBe(0);
      const again = await jamjet(['init', '-t', 'approval-workflow'], { cwd: folder });
      expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('answers.json, input.json') });
      expect(existsSync(join(folder, 'tools.mjs'))).toBe(false);
      expect((await jamjet(['create', `../${folder.split('/').at(-1)}`], { cwd: folder })).stderr).toContain('exists already');
    }));

  it('refuses what is no name or no template', () =>
    inFolder(async (folder) => {
      for (const [args, why] of [
        [['create'], 'name the project'],
        [['create', 'a', '-t', 'nope'], 'is not one of hello-agent'],
        [['create', 'a"b'], 'must be letters, digits'],
      ] as const)
        expect(await jamjet(args, { cwd: folder })).toMatchObject({ code: 2, stderr: expect.stringContaining(why) });
    }));
});
