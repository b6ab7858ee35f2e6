import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { privatePostgresServer } from '../support/postgres.ts';

const EXAMPLE = resolve('examples/library/publish.mjs');
const AGENT = resolve('examples/library/agent.mjs');

/** A consumer's program. Each `@ts-expect-error` is an error that the types must detect. */
const PROGRAM = `
import { createRuntime, defineTool, InvalidWorkflow, openSqlite, RuntimeError, StoreError, Type, workflow } from 'jamjet-runtime';
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
console.log(JSON.stringify({ errors, replayed, wrong, status, state: run.state, last: events.at(-1)?.type, doubled: (await doubled).n, typed: typed.n }));
await library.close();
await store.close();
`;

/** A folder with the package installed, as by `npm link`. */
const folder = mkdtempSync(join(tmpdir(), 'jamjet-library-'));
mkdirSync(join(folder, 'node_modules'));
symlinkSync(resolve('.'), join(folder, 'node_modules', 'jamjet-runtime'));
symlinkSync(resolve('node_modules/@types'), join(folder, 'node_modules', '@types'));
writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
writeFileSync(join(folder, 'program.ts'), PROGRAM);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function node(...args: readonly string[]): Promise<string> {
  return new Promise((done, fail) => {
    execFile(process.execPath, args, { cwd: folder, env: { ...process.env, NO_COLOR: '1' } }, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else fail(new Error(`${args.join(' ')}\n${error.message}\n${stdout}${stderr}`));
    });
  });
}

/** Compiler options of a strict consumer. The declarations of other packages are not checked. */
const STRICT = [
  '--ignoreConfig',
  '--strict',
  '--exactOptionalPropertyTypes',
  '--skipLibCheck',
  '--target',
  'es2023',
  '--types',
  'node',
];
const tsc = (...args: readonly string[]): Promise<string> =>
  node(resolve('node_modules/typescript-native/bin/tsc'), ...STRICT, ...args);

describe('the library', () => {
  it('has types for Node programs, which run', async () => {
    expect(await tsc('program.ts', '--module', 'nodenext', '--outDir', 'out')).toBe('');
    expect(JSON.parse(await node('out/program.js'))).toEqual({
      errors: ['store_locked', 'no_nodes', 'not_found'],
      replayed: false,
      wrong: false,
      status: 'completed',
      state: { n: 42, aborted: false, attempt: 0 },
      last: 'workflow_completed',
      doubled: 2,
      typed: 8,
    });
  });

  it('has types that bundlers resolve', async () => {
    expect(await tsc('program.ts', '--noEmit', '--module', 'esnext', '--moduleResolution', 'bundler')).toBe('');
  });
});

/** Two runtimes on one database: one waits for an execution of the other. */
const TOGETHER = `
import { createRuntime } from 'jamjet-runtime';
import { openPostgres } from 'jamjet-runtime/postgres';

const stores = await Promise.all([1, 2].map(() => openPostgres({ url: process.argv[2] })));
const [one, other] = await Promise.all(stores.map((store) => createRuntime({ store, tools: { double: ({ n }) => ({ n: n * 2 }) } })));
const nodes = { a: { kind: { type: 'tool', tool_ref: 'double' } } };
await one.register({ workflow_id: 'w', version: '1', nodes, edges: [{ from: 'a', to: 'end' }] });
const { executionId } = await one.start({ workflowId: 'w', input: { n: 21 } });
const { status, state } = await other.settled(executionId, 10_000);
console.log(JSON.stringify({ status, state }));
await Promise.all([one, other].map((runtime) => runtime.close()));
await Promise.all(stores.map((store) => store.close()));
`;
writeFileSync(join(folder, 'together.mjs'), TOGETHER);

describe('the library on PostgreSQL', () => {
  const server = privatePostgresServer();

  it('shares a database between runtimes', async () => {
    const printed = await node('together.mjs', await server().createDatabase());
    expect(JSON.parse(printed)).toEqual({ status: 'completed', state: { n: 42 } });
  });
});

describe('the library example', () => {
  it('is well typed', async () => {
    expect(await tsc(EXAMPLE, AGENT, '--noEmit', '--allowJs', '--module', 'nodenext')).toBe('');
  });

  it('runs an agent that streams its text, waits for an approval, and counts its tokens', async () => {
    const printed = await node(AGENT);
    expect(printed).toContain('[find_order was called]');
    expect(printed).toContain('Your lamp cost 49 euros. I ask for a refund.');
    expect(printed).toMatch(/\[refund needs an approval\]\n(?:.*\n)*\[refund was called\]/);
    expect(printed).toMatch(/\ncompleted with \d+ tokens: You get your 49 euros back\.\n$/);
  });

  it('continues in another process', async () => {
    const begun = await node(EXAMPLE);
    expect(begun).toContain('interrupt_raised (review)');
    expect(begun).toContain('paused {');
    const approved = await node(EXAMPLE, 'approve');
    expect(approved.startsWith(begun.slice(0, begun.indexOf('paused')))).toBe(true);
    expect(approved).toContain('completed {');
    expect(await node(EXAMPLE, 'approve')).toBe(approved);
  });
});
