import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);

/** Uses the library as a program would that has installed it, without a single cast. */
const PROGRAM = `
import {
  checkWorkflow, createRuntime, defineTool, openSqlite, RuntimeError,
  JamjetClient, StoreError,
  type Caller, type EventView, type ExecutionView, type JsonObject, type Runtime, type RuntimeOptions, type Status, type Store, type ToolContext,
} from 'jamjet-runtime';

const double = defineTool(async ({ n }: { n: number }, { signal, attempt }: ToolContext) => {
  signal.throwIfAborted();
  return { n: n * 2, attempt };
});

const store: Store = await openSqlite({ path: 'program.db' });
const options: RuntimeOptions = { store, tools: { double } };
const runtime: Runtime = await createRuntime(options);
const caller: Caller = { tenantId: 'default', actorId: 'program', actorType: 'agent' };
const client = new JamjetClient({ url: 'http://127.0.0.1:9' });
const reachable = await client.health().then(() => true, () => false);
const locked = await createRuntime({ store: await openSqlite({ path: 'program.db' }) }).then(
  () => null,
  (error: unknown) => (error instanceof StoreError ? error.code : null),
);

const { document, diagnostics } = checkWorkflow(
  'workflow: { id: w, version: "1" }\\nnodes: { a: { type: tool, tool_ref: double, next: end } }',
  'w.yaml',
);
await runtime.register(caller, document);
const { executionId } = await runtime.start(caller, { workflowId: 'w', input: { n: 21 } });
const view: ExecutionView = await runtime.settled('default', executionId);
const status: Status = view.status;
const state: JsonObject = view.state;
const events: EventView[] = [];
for await (const event of runtime.subscribe('default', executionId)) events.push(event);
const refusal = await runtime.start(caller, { workflowId: 'unknown' }).then(
  () => null,
  (error: unknown) => (error instanceof RuntimeError ? error.code : 'something else'),
);
console.log(JSON.stringify({ diagnostics, status, state, last: events.at(-1)?.type, refusal, reachable, locked }));
await runtime.close();
await store.close();
`;

/** Only what the package declares is installed beside it: a type or module from anywhere else fails the build or the program. */
function install(project: string, tarball: string): Promise<unknown> {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
  for (const name of [...Object.keys(dependencies), '@types/node', 'typescript']) {
    const link = join(project, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(resolve('node_modules', name), link);
  }
  const folder = join(project, 'node_modules', 'jamjet-runtime');
  mkdirSync(folder);
  const commands = join(project, 'node_modules', '.bin');
  mkdirSync(commands);
  symlinkSync('../jamjet-runtime/bin/jamjet.js', join(commands, 'jamjet'));
  symlinkSync('../typescript/bin/tsc', join(commands, 'tsc'));
  return run('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
}

const STRICT = [
  '--ignoreConfig',
  '--strict',
  '--noUncheckedIndexedAccess',
  '--target',
  'es2023',
  '--module',
  'nodenext',
  '--types',
  'node',
];

describe('the package', () => {
  const project = mkdtempSync(join(tmpdir(), 'jamjet-package-'));
  let files: readonly string[] = [];

  beforeAll(async () => {
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project]);
    const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
    files = packed?.files.map(({ path }) => path) ?? [];
    await install(project, join(project, packed?.filename ?? ''));
    const dependencies = { 'jamjet-runtime': `file:${packed?.filename}` };
    writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module', dependencies }));
    writeFileSync(join(project, 'program.ts'), PROGRAM);
  });

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it('contains the build and its documentation, and nothing else', () => {
    const kinds = new Set(
      files.map((file) =>
        file
          .split('/')
          .slice(0, file.startsWith('dist/') ? 2 : 1)
          .join('/'),
      ),
    );
    expect([...kinds].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'deploy',
      'dist/machines',
      'dist/src',
      'dist/store',
      'docs',
      'examples',
      'package.json',
    ]);
  });

  it('compiles in a strict program with the types of what it declares, and runs', async () => {
    const tsc = [resolve('node_modules/typescript-native/bin/tsc'), ...STRICT, 'program.ts'];
    const compiled = await run(process.execPath, tsc, { cwd: project }).catch((error: { stdout: string }) => error);
    expect(compiled.stdout).toBe('');
    const { stdout } = await run(process.execPath, ['program.js'], { cwd: project });
    expect(JSON.parse(stdout)).toEqual({
      diagnostics: [],
      status: 'completed',
      state: { n: 42, attempt: 0 },
      last: 'workflow_completed',
      refusal: 'not_found',
      reachable: false,
      locked: 'store_locked',
    });
  });

  it('begins a project in TypeScript that runs, passes its tests and compiles', async () => {
    const options = { cwd: project, env: { ...process.env, npm_config_offline: 'true', NO_COLOR: '1' } };
    const command = async (line: string): Promise<string> => (await run('bash', ['-c', line], options)).stdout;
    expect(await command('npx jamjet init --template typescript')).toContain('package.json (extended)');
    expect(readFileSync(join(project, '.gitignore'), 'utf8')).toContain('node_modules/');
    const ran = JSON.parse(await command('npx jamjet run workflow.ts --input @input.json --json'));
    expect(ran).toMatchObject({ status: 'completed', final_state: { state: { order: { item: 'desk lamp' } } } });
    expect(await command('npm test')).toContain('✓ passed (3 tests, 1 file)');
    expect(await command('npm run --silent types')).toBe('');
    const text = readFileSync(join(project, 'workflow.ts'), 'utf8');
    writeFileSync(join(project, 'workflow.ts'), text.replace('state.order.total > 100', 'state.order.totl > 100'));
    await expect(command('npm run --silent types')).rejects.toMatchObject({ stdout: expect.stringContaining('workflow.ts(') });
  });
});
