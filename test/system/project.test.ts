import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Program, program } from '../support/program.ts';
import { temporaryFolder } from '../support/server.ts';

const JAMJET = resolve('bin/jamjet.js');

function jamjet(args: readonly string[], folder: string, env: Readonly<Record<string, string>> = {}): Program {
  return program(process.execPath, [JAMJET, ...args], folder, env);
}

const WORKFLOW = `workflow: { id: greet, version: 0.1.0 }
tools:
  compose: { kind: function, reference: "./tools.ts#compose" }
  hold: { kind: function, reference: "./tools.ts#hold" }
nodes:
  compose: { next: end }
`;
const HOLDING = `workflow: { id: holding, version: 0.1.0 }
nodes:
  hold: { type: tool, tool_ref: hold, next: end }
`;
/** `hold` answers once a file is there; so the test decides how long it runs. */
const TOOLS = `
import { watch, existsSync } from 'node:fs';
import { text } from './text.ts';
interface Named { readonly name: string }
export const compose = ({ name }: Named) => ({ greeting: text(name) });
export const hold = async (): Promise<{ code: string }> => {
  const began = text('began');
  const watcher = watch('.');
  await new Promise<void>((done) => {
    watcher.on('change', () => existsSync('go') && done());
    if (existsSync('go')) done();
  });
  watcher.close();
  return { code: began };
};
`;
const text = (greeting: string): string => `export const text = (name: string): string => \`${greeting} \${name}\`;\n`;

interface State {
  readonly greeting?: string;
  readonly code?: string;
}

async function stateOf(args: readonly string[], folder: string, env: Readonly<Record<string, string>>): Promise<State> {
  const run = jamjet(['run', ...args, '--json'], folder, env);
  const { code } = await run.ended;
  if (code !== 0) throw new Error(`${run.stdout()}${run.stderr()}`);
  return (JSON.parse(run.stdout()) as { final_state: { state: State } }).final_state.state;
}

describe('jamjet dev FILE --watch', () => {
  it('provides the tools of the files, and takes edits without a restart; a broken one changes nothing', async () => {
    const folder = temporaryFolder(onTestFinished);
    const save = (file: string, content: string) => writeFileSync(join(folder, file), content);
    save('greet.yaml', WORKFLOW);
    save('holding.yaml', HOLDING);
    save('tools.ts', TOOLS);
    save('text.ts', text('Hello'));
    const dev = jamjet(['dev', 'greet.yaml', 'holding.yaml', '--watch', '--port', '0'], folder);
    await dev.shows(/workflows +greet 0\.1\.0, holding 0\.1\.0 {2}\(reloaded when files change\)\n {2}tools +compose, hold\n/);
    const [JAMJET_URL = ''] = await dev.shows(/http:\/\/\S+/);
    const env = { JAMJET_URL };
    const input = ['--input', '{"name":"Ada"}'];
    expect(await stateOf(['greet', ...input], folder, env)).toMatchObject({ greeting: 'Hello Ada' });

    const held = jamjet(['run', 'holding', '--json'], folder, env);
    await dev.shows(/Ctrl-C/);
    const attempt = jamjet(['ls', '--status', 'running'], folder, env);
    await attempt.ended;

    save('text.ts.new', text('Servus'));
    renameSync(join(folder, 'text.ts.new'), join(folder, 'text.ts'));
    await dev.shows(/↻ reloaded text\.ts: tools compose, hold\n/);
    expect(await stateOf(['greet', ...input], folder, env)).toMatchObject({ greeting: 'Servus Ada' });

    save('greet.yaml', WORKFLOW.replace('0.1.0', '0.2.0'));
    await dev.shows(/↻ reloaded greet\.yaml: greet 0\.2\.0 \(revision [0-9a-f]{12}\)\n/);

    save('text.ts', 'export const text = (name: string): string => `Grüß ${;\n');
    await dev.warns(/error: text\.ts:1:\d+: .+\ntext\.ts is not reloaded: the version before stays in use\n/);
    expect(await stateOf(['greet', ...input], folder, env)).toMatchObject({ greeting: 'Servus Ada' });

    save('text.ts', text('Grüß'));
    await dev.shows(/reloaded text\.ts[\s\S]*reloaded greet\.yaml[\s\S]*reloaded text\.ts/);
    expect(await stateOf(['greet', ...input], folder, env)).toMatchObject({ greeting: 'Grüß Ada' });

    save('greet.yaml', WORKFLOW.replace('next: end', 'next: nowhere'));
    await dev.warns(/greet\.yaml:6:\d+ {2}error {2}.+\n.+\ngreet\.yaml is not reloaded/);

    save('go', '');
    expect((await held.ended).code).toBe(0);
    dev.kill('SIGINT');
    expect(await dev.ended).toEqual({ code: 0, signal: null });
    expect(readFileSync(join(folder, 'text.ts'), 'utf8')).toContain('Grüß');
  });

  it('starts with a broken file, and serves it once it is put right', async () => {
    const folder = temporaryFolder(onTestFinished);
    writeFileSync(join(folder, 'workflow.yaml'), 'workflow: { id: w }\nnodes: { a: { type: tol } }\n');
    const dev = jamjet(['dev', '--watch', '--port', '0'], folder);
    await dev.warns(/workflow\.yaml:2:\d+ {2}error .+\n.+\nwaiting for a change of the files\n/);
    await dev.shows(/Ctrl-C/);
    writeFileSync(join(folder, 'workflow.yaml'), 'workflow: { id: w }\nnodes: { a: { type: tool } }\n');
    await dev.shows(/↻ reloaded workflow\.yaml: w 0\.1\.0 \(revision [0-9a-f]{12}\)\n/);
  });

  it('refuses a broken file without --watch, and --watch without a file', async () => {
    const folder = temporaryFolder(onTestFinished);
    writeFileSync(join(folder, 'bad.yaml'), 'workflow: { id: w }\nnodes: { a: { type: tol } }\n');
    const bad = jamjet(['dev', 'bad.yaml', '--port', '0'], folder);
    expect((await bad.ended).code).toBe(1);
    expect(bad.stderr()).toMatch(/^bad\.yaml:2:\d+ {2}error .+\n.+\nerror: bad\.yaml is not valid\n$/);
    const none = jamjet(['dev', '--watch', '--port', '0'], folder);
    expect((await none.ended).code).toBe(2);
    expect(none.stderr()).toMatch(/^error: --watch: there is no workflow\.ts or workflow\.yaml in .+\nName the files/);
  });
});

describe('a workflow in a module', () => {
  const MODULE = `
const content = { workflow: { id: 'twice', version: '1.0.0' }, nodes: { double: {} } };
const double = ({ n }: { readonly n: number }): { n: number } => ({ n: 2 * n });
export const twice = {
  [Symbol.for('jamjet-runtime.workflow')]: { content, functions: ['double'], tools: { double }, at: { file: import.meta.filename, line: 2, column: 1 } },
};
`;

  it('runs, is validated, drawn and registered like one in YAML, on any version of Node', async () => {
    const folder = temporaryFolder(onTestFinished);
    writeFileSync(join(folder, 'twice.ts'), MODULE);
    expect(await stateOf(['twice.ts', '--input', '{"n":4}', '--embedded'], folder, {})).toEqual({ n: 8 });
    const valid = jamjet(['validate', 'twice.ts'], folder);
    expect([(await valid.ended).code, valid.stdout()]).toEqual([0, '✓ twice.ts is valid\n']);
    const drawn = jamjet(['visualize', 'twice.ts'], folder);
    expect([(await drawn.ended).code, drawn.stdout()]).toEqual([0, expect.stringContaining('double')]);
    const dev = jamjet(['dev', 'twice.ts', '--port', '0'], folder);
    const [JAMJET_URL = ''] = await dev.shows(/http:\/\/\S+/);
    await dev.shows(/Ctrl-C/);
    expect(await stateOf(['twice.ts', '--input', '{"n":4}'], folder, { JAMJET_URL })).toEqual({ n: 8 });
    const same = jamjet(['workflows', 'diff', 'twice.ts', '--exit-code'], folder, { JAMJET_URL });
    expect((await same.ended).code).toBe(0);
  });

  it('says in one line, with the place, why it cannot be loaded', async () => {
    const folder = temporaryFolder(onTestFinished);
    writeFileSync(join(folder, 'broken.ts'), `${MODULE}const oops: number = ;\n`);
    writeFileSync(join(folder, 'throws.ts'), 'const limit: number = (null as any).limit;\nexport { limit };\n');
    const broken = jamjet(['run', 'broken.ts'], folder);
    expect([(await broken.ended).code, broken.stderr()]).toEqual([1, 'error: broken.ts:7:22: Unexpected token\n']);
    const throws = jamjet(['validate', 'throws.ts'], folder);
    expect([(await throws.ended).code, throws.stderr()]).toEqual([
      1,
      "error: throws.ts:1: TypeError: Cannot read properties of null (reading 'limit')\n",
    ]);
  });
});
