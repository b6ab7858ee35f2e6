import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import type { JamjetClient } from '../../src/client/index.ts';
import { ir } from '../support/ir.ts';
import { privatePostgresServer } from '../support/postgres.ts';
import { program } from '../support/program.ts';
import { TRIES_ALL } from '../support/properties.ts';
import { expectReplays, startServer, temporaryFolder } from '../support/server.ts';
import { eventually, timeline } from './recorded-calls.ts';

const JAMJET = resolve('bin/jamjet.js');
const FUNCTIONS = new URL('./durable-functions.mjs', import.meta.url).pathname;

const LIST = Array.from({ length: 1_000 }, (_, item) => item);
const TALLY = { type: 'tool', tool_ref: 'tally', input: { item: '{{ item }}' } };
const MAP = ir('map', { m: { type: 'map', items: 'state.list', do: TALLY, output_key: 'done' } }, [['m', 'end']]);

/** What the functions have called, and the gates that let them go on. */
function recorder(folder: string) {
  const file = join(folder, 'calls');
  writeFileSync(file, '');
  return {
    env: { CALLS: file },
    open: (gate: string): void => writeFileSync(`${file}.${gate}`, ''),
    /** Of the functions, and of the items of the list. */
    calls: (): readonly string[] => linesOf(file).filter((line) => !line.startsWith('item ')),
    items: (): readonly number[] => linesOf(file).flatMap((line) => (line.startsWith('item ') ? [Number(line.slice(5))] : [])),
  };
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

/** Resolves once so many items of the list have completed, and the others are held up. */
async function completed(client: JamjetClient, id: string, count: number, items: () => readonly number[]): Promise<void> {
  await eventually(() => items().length === count, `${count} items have been worked on`);
  const succeeded = async () => (await client.node(id, 'm')).visits[0]?.items?.succeeded;
  await eventually(async () => (await succeeded()) === count, `${count} items have completed`);
}

/** Every item was worked on once, whatever was killed. */
async function expectEachOnce(client: JamjetClient, id: string, items: () => readonly number[], list = LIST): Promise<void> {
  expect(await client.execution(id, { waitMs: 60_000 })).toMatchObject({ status: 'completed', state: { done: list } });
  expect(items().toSorted((a, b) => a - b)).toEqual(list);
}

/** What has come of both, but for the processes that did it. */
async function outcome(client: JamjetClient, id: string) {
  await eventually(async () => (await client.execution(id)).status === 'completed', `${id} completes`);
  const { status, state } = await client.execution(id);
  const steps = (await client.events(id))
    .filter(({ type }) => type === 'step_completed')
    .map(({ data }) => [data.name, data.output]);
  return { status, state, steps };
}

async function start(client: JamjetClient, workflow_id: string, input: JsonObject = {}): Promise<string> {
  return (await client.start({ workflow_id, input })).execution_id;
}

// Leases expire after half a minute, so `npm test` kills no process that holds one.

/** A server and commands for it; the functions are registered there. */
async function deployed() {
  const folder = temporaryFolder(onTestFinished);
  const recorded = recorder(folder);
  const first = await startServer({ folder });
  const port = Number(new URL(first.url).port);
  const settings = { ...recorded.env, JAMJET_URL: first.url, JAMJET_TOKEN: first.token };
  const jamjet = (...args: string[]) => program(process.execPath, [JAMJET, ...args], folder, settings);
  expect((await jamjet('deploy', FUNCTIONS).ended).code).toBe(0);
  return { ...recorded, folder, first, port, jamjet };
}

it('goes on after kill -9 of the server: what its worker does meanwhile is done once', async () => {
  const list = LIST.slice(0, 320);
  const { folder, first, port, jamjet, open, calls, items } = await deployed();
  const worker = jamjet('worker', FUNCTIONS, '--id', 'w1', '--concurrency', '20');
  await first.client.registerWorkflow(MAP);
  const map = await start(first.client, 'map', { list });
  await completed(first.client, map, 300, items);
  const inStep = await start(first.client, 'in-step');
  await eventually(() => calls().includes('in-step b'), 'the step works');
  await first.kill();
  for (const gate of ['b', 'c', 'items']) open(gate);
  const { client, kill } = await startServer({ folder, port });
  expect((await outcome(client, inStep)).state).toEqual({ a: 1, b: 2, c: 3 });
  expect(calls()).toEqual(['in-step a', 'in-step b', 'in-step c']);
  await expectEachOnce(client, map, items, list);
  worker.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
  await kill();
  await expectReplays(folder);
});

it.runIf(TRIES_ALL)(
  'goes on after kill -9 of the worker, in a step, between two operations and in a map, and of the server, as in process',
  async () => {
    const { folder, first, port, jamjet, open, calls, items } = await deployed();
    const once = { run: { type: 'durable_function', function_ref: 'loops', node: { retry_policy: 'no_retry' } } };
    await first.client.registerWorkflow(ir('loops', once, [['run', 'end']]));
    jamjet('worker', FUNCTIONS, '--id', 'w0');
    const endless = await start(first.client, 'loops');
    await eventually(() => calls().includes('loops'), 'a function loops, with all its process');
    await eventually(async () => (await timeline(first.client, endless)).includes('attempt_lost run'), 'its lease expires');
    await first.client.cancel(endless, 'it loops');
    const killed = jamjet('worker', FUNCTIONS, '--id', 'w1', '--concurrency', '20');
    await first.client.registerWorkflow(MAP);
    const map = await start(first.client, 'map', { list: LIST });
    await completed(first.client, map, 300, items);
    const inStep = await start(first.client, 'in-step');
    await eventually(() => calls().includes('in-step b'), 'the step works');
    const between = await start(first.client, 'between');
    await eventually(() => calls().includes('between'), 'the function is between two operations');
    killed.kill('SIGKILL');
    await killed.ended;

    const worker = jamjet('worker', FUNCTIONS, '--id', 'w2', '--concurrency', '20');
    open('b');
    open('items');
    await eventually(() => calls().includes('in-step c'), 'another worker has the function');
    await completed(first.client, map, 600, items);
    await first.kill();
    open('c');
    open('more items');
    const { client, kill } = await startServer({ folder, port });
    await client.sendEvent(between, { key: 'go', payload: [1] });
    const outcomes = [await outcome(client, inStep), await outcome(client, between)];
    expect(calls().toSorted()).toEqual([
      'between',
      'between',
      'between a',
      'between b',
      'in-step a',
      'in-step b',
      'in-step b',
      'in-step c',
      'loops',
    ]);
    for (const id of [inStep, between]) expect(await timeline(client, id)).not.toContain('node_failed run');
    await expectEachOnce(client, map, items);
    worker.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
    await kill();
    await expectReplays(folder);

    const own = temporaryFolder(onTestFinished);
    const inProcess = recorder(own);
    for (const gate of ['b', 'c']) inProcess.open(gate);
    const server = await startServer({ folder: own, files: [FUNCTIONS], env: inProcess.env });
    const ids = [await start(server.client, 'in-step'), await start(server.client, 'between')] as const;
    await server.client.sendEvent(ids[1], { key: 'go', payload: [1] });
    expect(outcomes).toEqual([await outcome(server.client, ids[0]), await outcome(server.client, ids[1])]);
    expect(outcomes.map(({ status, state }) => [status, state])).toEqual([
      ['completed', { a: 1, b: 2, c: 3 }],
      ['completed', { a: 1, b: 2, event: [1] }],
    ]);
  },
);

describe.runIf(TRIES_ALL)('with two servers on PostgreSQL', () => {
  const postgres = privatePostgresServer();

  it('a map, and a function between two operations, go on with the other one after kill -9', async () => {
    const folder = temporaryFolder(onTestFinished);
    const { env, open, calls, items } = recorder(folder);
    const database = { DATABASE_URL: await postgres().createDatabase() };
    const server = () => startServer({ folder, command: 'serve', tools: FUNCTIONS, env: { ...env, ...database } });
    const killed = await server();
    const { client } = await server();
    const deployed = program(process.execPath, [JAMJET, 'deploy', FUNCTIONS], folder, {
      ...env,
      JAMJET_URL: killed.url,
      JAMJET_TOKEN: killed.token,
    });
    expect((await deployed.ended).code).toBe(0);
    await killed.client.registerWorkflow(MAP);
    const map = await start(killed.client, 'map', { list: LIST });
    await completed(killed.client, map, 300, items);
    const inStep = await start(killed.client, 'in-step');
    await eventually(() => calls().includes('in-step b'), 'the step works');
    const between = await start(killed.client, 'between');
    await eventually(() => calls().includes('between'), 'the function is between two operations');
    await killed.kill();
    for (const gate of ['b', 'c', 'items', 'more items']) open(gate);
    await client.sendEvent(between, { key: 'go', payload: [1] });
    expect((await outcome(client, inStep)).state).toEqual({ a: 1, b: 2, c: 3 });
    expect((await outcome(client, between)).state).toEqual({ a: 1, b: 2, event: [1] });
    await expectEachOnce(client, map, items);
    expect(
      calls()
        .filter((call) => / [abc]$/.test(call))
        .toSorted(),
    ).toEqual(['between a', 'between b', 'in-step a', 'in-step b', 'in-step b', 'in-step c']);
  });
});
