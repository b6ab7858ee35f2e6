import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../support/program.ts';

const run = promisify(execFile);

/** Uses the library as a program would that has installed it, without a single cast. */
const PROGRAM = `
import {
  createRuntime, defineTool, openSqlite, RuntimeError, StoreError,
  type ExecutionEvent, type ExecutionView, type JsonObject, type Runtime, type RuntimeOptions, type Status, type Store, type ToolContext,
} from 'jamjet-runtime';
import { JamjetClient } from 'jamjet-runtime/client';
import { checkWorkflow } from 'jamjet-runtime/yaml';

const double = defineTool(async ({ n }: { n: number }, { signal, attempt }: ToolContext) => {
  signal.throwIfAborted();
  return { n: n * 2, attempt };
});

const store: Store = await openSqlite({ path: 'program.db' });
const options: RuntimeOptions = { store, tools: { double } };
const runtime: Runtime = await createRuntime(options);
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
await runtime.register(document);
const { executionId } = await runtime.start({ workflowId: 'w', input: { n: 21 } });
const view: ExecutionView = await runtime.settled(executionId);
const status: Status = view.status;
const state: JsonObject = view.state;
const events: ExecutionEvent[] = [];
for await (const event of runtime.subscribe(executionId)) events.push(event);
const refusal = await runtime.start({ workflowId: 'unknown' }).then(
  () => null,
  (error: unknown) => (error instanceof RuntimeError ? error.code : 'something else'),
);
console.log(JSON.stringify({ diagnostics, status, state, last: events.at(-1)?.type, refusal, reachable, locked }));
await runtime.close();
await store.close();
`;

/** Defines a workflow, and runs it in its own process, then on a server whose tool a worker of this program calls. */
const DEFINED = `
import { createRuntime, openSqlite, Type, workflow, type ExecutionEvent } from 'jamjet-runtime';
import { JamjetClient } from 'jamjet-runtime/client';
import { createWorker } from 'jamjet-runtime/worker';

const double = ({ n }: { n: number }) => ({ n: n * 2 });
const doubling = workflow({
  id: 'doubling',
  state: Type.Object({ n: Type.Number() }),
  tools: { double },
  nodes: { double: { input: { n: '{{ state.n }}' }, next: 'end' } },
});
workflow({
  id: 'misspelt',
  tools: { double },
  // @ts-expect-error there is no node \`dubble\`
  nodes: { double: { input: { n: 1 }, next: 'dubble' } },
});

const store = await openSqlite({ path: 'defined.db' });
const runtime = await createRuntime({ store, workflows: [doubling] });
// @ts-expect-error n is a number
const wrongHere = () => runtime.start(doubling, { n: '21' });
const started = await runtime.start(doubling, { n: 21 });
const here: number = (await started.settled()).state.n;
const errors: string[] = [];
const note = (event: ExecutionEvent) => (event.type === 'node_failed' ? errors.push(event.data.error) : null);
for await (const event of started.events()) note(event);
await runtime.close();
await store.close();

const [url = '', token = ''] = process.argv.slice(2);
const worker = createWorker({ url, token, id: 'program', tools: { double }, onLog: () => {} });
await worker.connected;
const client = new JamjetClient({ url, token });
// @ts-expect-error n is a number
const wrongThere = () => client.start(doubling, { n: '4' });
const execution = await client.start(doubling, { n: 4 });
const there: number = (await execution.settled()).state.n;
const by: string[] = [];
for await (const event of execution.events()) if (event.kind === 'NodeStarted') by.push(event.data.worker_id ?? '');
await worker.stop();
console.log(JSON.stringify({ here, there, errors, by }));
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
    writeFileSync(join(project, 'defined.ts'), DEFINED);
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
      'dist/bundle',
      'dist/console',
      'docs',
      'examples',
      'package.json',
    ]);
  });

  it('has source maps with the sources of this package alone', () => {
    const maps = files.filter((file) => file.endsWith('.map'));
    const sources = maps.flatMap((file) => {
      const { sources, sourcesContent } = JSON.parse(readFileSync(file, 'utf8')) as {
        sources: string[];
        sourcesContent: (string | null)[];
      };
      return sources.map((source, i) => ({ path: resolve(dirname(file), source), text: sourcesContent[i] ?? null }));
    });
    const own = sources.filter(({ text }) => text !== null);
    for (const { path, text } of own) expect(text, path).toBe(readFileSync(path, 'utf8'));
    expect(own.map(({ path }) => path)).toContain(resolve('src/cli/main.ts'));
    expect(sources.filter(({ path, text }) => text !== null && path.includes('node_modules'))).toEqual([]);
  });

  it('has the licences of the packages of which it has code or files', () => {
    const text = readFileSync('dist/bundle/THIRD-PARTY.txt', 'utf8');
    for (const name of ['ajv', 'fastify', 'dejavu-fonts-ttf', '@modelcontextprotocol/sdk', '@opentelemetry/api', 'pg'])
      expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\\n(?:.*\\n){2}.{4}`, 'm'));
  });

  it('compiles in strict programs with the types of what it declares, and runs, also on its own server', async () => {
    const tsc = [resolve('node_modules/typescript-native/bin/tsc'), ...STRICT, 'program.ts', 'defined.ts'];
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

    const server = program(
      process.execPath,
      [join('node_modules', 'jamjet-runtime', 'bin', 'jamjet.js'), 'dev', '-p', '0'],
      project,
    );
    const [url] = await server.shows(/http:\/\/127\.0\.0\.1:\d+/);
    const token = readFileSync(join(project, '.jamjet', 'token'), 'utf8').trim();
    const defined = await run(process.execPath, ['defined.js', url, token], { cwd: project });
    expect(JSON.parse(defined.stdout)).toEqual({ here: 42, there: 8, errors: [], by: ['program'] });
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
