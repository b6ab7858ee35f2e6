import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { JamjetClient } from '../../src/client/index.ts';
import { program } from '../support/program.ts';
import { expectReplays, startServer, temporaryFolder } from '../support/server.ts';
import { eventually, timeline } from './recorded-calls.ts';

const JAMJET = resolve('bin/jamjet.js');
const FUNCTIONS = new URL('./durable-functions.mjs', import.meta.url).pathname;

/** What the functions have called, and the gates that let them go on. */
function recorder(folder: string) {
  const file = join(folder, 'calls');
  writeFileSync(file, '');
  return {
    env: { CALLS: file },
    open: (gate: string): void => writeFileSync(`${file}.${gate}`, ''),
    calls: (): readonly string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1),
  };
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

async function start(client: JamjetClient, workflow_id: string): Promise<string> {
  return (await client.start({ workflow_id, input: {} })).execution_id;
}

it('goes on after kill -9 of the worker, in a step and between two operations, and of the server, as in process', async () => {
  const folder = temporaryFolder(onTestFinished);
  const { env, open, calls } = recorder(folder);
  const first = await startServer({ folder });
  const port = Number(new URL(first.url).port);
  const settings = { ...env, JAMJET_URL: first.url, JAMJET_TOKEN: first.token };
  const jamjet = (...args: string[]) => program(process.execPath, [JAMJET, ...args], folder, settings);
  expect((await jamjet('deploy', FUNCTIONS).ended).code).toBe(0);
  const killed = jamjet('worker', FUNCTIONS, '--id', 'w1');
  const inStep = await start(first.client, 'in-step');
  await eventually(() => calls().includes('in-step b'), 'the step works');
  const between = await start(first.client, 'between');
  await eventually(() => calls().includes('between'), 'the function is between two operations');
  killed.kill('SIGKILL');
  await killed.ended;

  const worker = jamjet('worker', FUNCTIONS, '--id', 'w2');
  open('b');
  await eventually(() => calls().includes('in-step c'), 'another worker has the function');
  await first.kill();
  open('c');
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
  ]);
  for (const id of [inStep, between]) expect(await timeline(client, id)).not.toContain('node_failed run');
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
});
