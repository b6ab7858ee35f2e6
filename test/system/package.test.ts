import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../support/program.ts';
import { TRIES_ALL } from '../support/properties.ts';

const run = promisify(execFile);

/** Uses the library as a program would that has installed it. Each `@ts-expect-error` is an error that the types must detect. */
const PROGRAM = `
import { createRuntime, defineTool, InvalidWorkflow, openSqlite, RuntimeError, StoreError, Type, workflow } from 'jamjet-runtime';
import { JamjetClient } from 'jamjet-runtime/client';
import { checkWorkflow } from 'jamjet-runtime/yaml';
import type { Caller, CallerRuntime, ExecutionEvent, ExecutionView, Json, Runtime, RuntimeOptions, Status, Store, Tools } from 'jamjet-runtime';

const caller: Caller = { tenantId: 'default', actorId: 'program', actorType: 'agent' };
const double = defineTool(async ({ n }: { n: number }, { signal, attempt }) => ({ n: n * 2, aborted: signal.aborted, attempt }));
const tools: Tools = { double };
const doubled: Promise<{ n: number }> = double({ n: 1 }, { signal: new AbortController().signal, tenantId: 'default', startedBy: { actorId: 'me', actorType: 'human' }, labels: {}, executionId: '', nodeId: '', attempt: 0, idempotencyKey: '', memory: { search: async () => [], add: async () => [], remove: async () => 0 }, reportUsage: () => {}, log: { debug() {}, info() {}, warn() {}, error() {} }, progress: () => {}, heartbeat: async () => {} });
// @ts-expect-error the input has no m
defineTool(({ n }: { n: number }) => n)({ m: 1 }, {});

const store: Store = await openSqlite({ path: 'program.db' });
const options: RuntimeOptions = { store, tools, stepLimit: 100 };
// @ts-expect-error there is no such option
const misspelt = () => createRuntime({ store, toolz: tools });
const State = Type.Object({ n: Type.Number(), note: Type.Optional(Type.String()) });
const doubling = workflow({ id: 'doubling', state: State, tools: { double }, nodes: { double: { input: { n: '{{ state.n }}' } } } });
const library = await createRuntime({ ...options, workflows: [doubling] });
const everyone: Runtime = library;
const runtime: CallerRuntime = everyone.as(caller);
// @ts-expect-error a misspelt state key
workflow({ id: 'w', state: State, nodes: { a: { type: 'condition', branches: [{ if: 'state.m > 1', next: 'end' }] } } });
// @ts-expect-error the input has no m
const without = () => library.start(doubling, { m: 1 });
const typed: { n: number; note?: string } = (await (await library.start(doubling, { n: 4 })).settled()).state;

const client = new JamjetClient({ url: 'http://127.0.0.1:9' });
const reachable = await client.health().then(() => true, () => false);
const errors: string[] = [];
await createRuntime({ store: await openSqlite({ path: 'program.db' }) }).catch((error: unknown) => {
  if (error instanceof StoreError) errors.push(error.code);
});
await runtime.register({ workflow_id: 'w', version: '1', nodes: {} }).catch((error: unknown) => {
  if (error instanceof InvalidWorkflow) errors.push(...error.diagnostics.map(({ code }) => code));
});
await runtime.start({ workflowId: 'unknown' }).catch((error: unknown) => {
  if (error instanceof RuntimeError) errors.push(error.code);
});

const input: Json = { n: 21 };
const { document, diagnostics } = checkWorkflow('workflow: { id: w, version: "1" }\\nnodes: { a: { type: tool, tool_ref: double, next: end } }', 'w.yaml');
for (const { line, message } of diagnostics) console.log(line, message);
await runtime.register(document);
const { executionId, replayed } = await runtime.start({ workflowId: 'w', input });
const run: ExecutionView = await runtime.settled(executionId, 10_000);
// @ts-expect-error that is no status
const wrong: boolean = run.status === 'finished';
const status: Status = run.status;
const events: ExecutionEvent[] = [];
for await (const event of runtime.subscribe(executionId)) events.push(event);
console.log(JSON.stringify({ errors, reachable, replayed, wrong, status, state: run.state, last: events.at(-1)?.type, doubled: (await doubled).n, typed: typed.n }));
await library.close();
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

/** A page, which has no types of Node. */
const PAGE = `
import { ApiError, JamjetClient, type Execution, type TenantDetail, type WorkflowDefinition } from 'jamjet-runtime/client';

const client = new JamjetClient({ url: new URL('.', document.location.href).href, fetch: (url, init) => window.fetch(url, init) });
export async function show(id: string, definition: WorkflowDefinition): Promise<Execution> {
  const tenant: TenantDetail = await client.tenants.get('default');
  for await (const event of client.live.execution(id)) if (event.type === 'node_failed') console.log(tenant.name, event.data.error);
  const started = await client.start(definition, {}).catch((error) => (error instanceof ApiError ? null : Promise.reject(error)));
  return client.execution(started?.executionId ?? id);
}
`;

/** Of a new project. That of the template's version takes six times as long as the next one. */
const COMPILER = TRIES_ALL ? 'typescript' : 'typescript-native';

/** Adds a route to a server in its own process. */
const SERVED = `
import { createServer, readConfig } from 'jamjet-runtime/server';

const config = readConfig({ DATABASE_URL: 'sqlite:served.db', JAMJET_LOG: 'silent' });
const { app, close } = await createServer({ config, auth: 'on' });
app.get('/answer', { config: { access: 'open' } }, () => ({ answer: 42 }));
const reply = await app.inject('/answer');
await close();
console.log(reply.payload);
`;

const { dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Readonly<
  Record<'dependencies' | 'peerDependencies', Readonly<Record<string, string>>>
>;

/** Only what the package declares is installed beside it: a type or module from anywhere else fails the build or the program. */
function install(project: string, tarball: string): Promise<unknown> {
  for (const name of [...Object.keys(dependencies), '@types/node', COMPILER]) link(project, name);
  const folder = join(project, 'node_modules', 'jamjet-runtime');
  mkdirSync(folder);
  const commands = join(project, 'node_modules', '.bin');
  mkdirSync(commands);
  symlinkSync('../jamjet-runtime/bin/jamjet.js', join(commands, 'jamjet'));
  symlinkSync(`../${COMPILER}/bin/tsc`, join(commands, 'tsc'));
  return run('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
}

/** Returns the path of the link. */
function link(project: string, name: string): string {
  const path = join(project, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(resolve('node_modules', name), path);
  return path;
}

/**
 * Compiler options of a strict program. Whether the declarations are without an error in themselves, `npm run test:all` checks; with exact optional
 * properties, those of XState are not.
 */
const STRICT = [
  '--ignoreConfig',
  '--strict',
  '--noUncheckedIndexedAccess',
  ...(TRIES_ALL ? [] : ['--exactOptionalPropertyTypes', '--skipLibCheck']),
  '--target',
  'es2023',
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
    writeFileSync(join(project, 'served.ts'), SERVED);
    writeFileSync(join(project, 'page.ts'), PAGE);
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

  const tsc = async (options: readonly string[], ...args: readonly string[]): Promise<string> => {
    const compiled = run(process.execPath, [resolve('node_modules/typescript-native/bin/tsc'), ...options, ...args], {
      cwd: project,
    });
    return (await compiled.catch((error: { stdout: string }) => error)).stdout;
  };

  it('compiles in strict programs with the types of what it declares, and runs, also on its own server', async () => {
    expect(await tsc(STRICT, 'program.ts', 'defined.ts', '--module', 'nodenext')).toBe('');
    const { stdout } = await run(process.execPath, ['program.js'], { cwd: project });
    expect(JSON.parse(stdout)).toEqual({
      errors: ['store_locked', 'no_nodes', 'not_found'],
      reachable: false,
      replayed: false,
      wrong: false,
      status: 'completed',
      state: { n: 42, aborted: false, attempt: 0 },
      last: 'workflow_completed',
      doubled: 2,
      typed: 8,
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

  it('has a client that compiles in strict programs without types of Node', async () => {
    const page = ['--ignoreConfig', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', '--types', '', '--noEmit'];
    expect(await tsc(page, 'page.ts', '--module', 'nodenext')).toBe('');
  });

  it('has types that bundlers resolve', async () => {
    expect(await tsc(STRICT, 'program.ts', '--noEmit', '--module', 'esnext', '--moduleResolution', 'bundler')).toBe('');
  });

  it('serves without its optional peers, which declare the types of the server', async () => {
    const links = Object.keys(peerDependencies).map((name) => link(project, name));
    expect(await tsc(STRICT, 'served.ts', '--module', 'nodenext', '--skipLibCheck')).toBe('');
    for (const path of links) rmSync(path);
    const { stdout } = await run(process.execPath, ['served.js'], { cwd: project });
    expect(JSON.parse(stdout)).toEqual({ answer: 42 });
  });

  it('begins a project in TypeScript that runs, passes its tests and compiles', async () => {
    const path = `${join(project, 'node_modules', '.bin')}:${process.env.PATH}`;
    const options = { cwd: project, env: { ...process.env, PATH: path, npm_config_offline: 'true', NO_COLOR: '1' } };
    const command = async (line: string): Promise<string> => (await run('bash', ['-c', line], options)).stdout;
    expect(await command('jamjet init --template typescript')).toContain('package.json (extended)');
    expect(readFileSync(join(project, '.gitignore'), 'utf8')).toContain('node_modules/');
    const ran = JSON.parse(await command('jamjet run workflow.ts --input @input.json --json'));
    expect(ran).toMatchObject({ status: 'completed', final_state: { state: { order: { item: 'desk lamp' } } } });
    expect(await command('npm test')).toContain('✓ passed (3 tests, 1 file)');
    const text = readFileSync(join(project, 'workflow.ts'), 'utf8');
    writeFileSync(join(project, 'misspelt.ts'), text.replace('state.order.total > 100', 'state.order.totl > 100'));
    const types = await command('npm run --silent types').catch((error: { stdout: string }) => error.stdout);
    expect(types.match(/^\S+\.ts(?=\()/gm)).toEqual(['misspelt.ts']);
  });
});
