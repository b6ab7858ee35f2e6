import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type AnyActor, type AnyMachineSnapshot, createActor } from 'xstate';
import type { JsonObject } from '../../machines/json.ts';
import { TRIES_ALL } from '../support/properties.ts';
import { Random } from '../support/random.ts';
import { expectReplays, startServer, temporaryFolder } from '../support/server.ts';
import { randomMachine } from './random-machines.ts';
import { eventually } from './recorded-calls.ts';

const MODULE = new URL('./random-machines.ts', import.meta.url).pathname;
const [MACHINES, KILLS] = TRIES_ALL ? [30, 15] : [8, 2];
const SEED = Number(process.env.FAST_CHECK_SEED ?? 20_261_125) % 1_000;
const SEEDS = Array.from({ length: MACHINES }, (_, i) => SEED * 100 + i);
const STATUS: Readonly<Record<string, string>> = { done: 'completed', error: 'failed' };

/** The machines as workflows. Their activities write to the file that `CALLS` names. */
function moduleOf(seeds: readonly number[]): string {
  return `
    import { appendFileSync } from 'node:fs';
    import { durableMachine } from 'jamjet-runtime';
    import { randomMachine } from '${MODULE}';
    const called = (name) => appendFileSync(process.env.CALLS, name + '\\n');
    const workflow = (seed) => durableMachine(randomMachine(seed, called), { id: 'm' + seed, version: '1' });
    ${seeds.map((seed) => `export const m${seed} = workflow(${seed});`).join('\n')}
  `;
}

/** What XState's own actor comes to, and what it has called. */
async function inXState(seed: number): Promise<{ readonly snapshot: JsonObject; readonly calls: readonly string[] }> {
  const calls: string[] = [];
  const actor: AnyActor = createActor(
    randomMachine(seed, (name) => calls.push(name)),
    { input: {} },
  );
  const answer = (snapshot: AnyMachineSnapshot): void => {
    if (snapshot.can({ type: 'GO' })) queueMicrotask(() => actor.send({ type: 'GO' }));
  };
  actor.subscribe({ next: answer, error: () => {} });
  actor.start();
  await eventually(() => actor.getSnapshot().status !== 'active', `machine ${seed} ends in XState`);
  return { snapshot: ended(plain(actor.getPersistedSnapshot())), calls };
}

const plain = (value: unknown): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

/** What two runs that took different times have in common. */
function ended({ status, value = null, context = null, output = null }: JsonObject): JsonObject {
  return { status: status ?? null, value, context, output };
}

const counted = (calls: readonly string[]): ReadonlyMap<string, number> =>
  calls.reduce((counts, call) => counts.set(call, (counts.get(call) ?? 0) + 1), new Map<string, number>());

it(`${MACHINES} state machines whose server is killed ${KILLS} times come to what XState's own actor does`, async () => {
  const references = Promise.all(SEEDS.map(inXState));
  const folder = temporaryFolder(onTestFinished);
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  const linesOf = (): readonly string[] => readFileSync(calls, 'utf8').split('\n').slice(0, -1);
  const module = join(folder, 'machines.ts');
  writeFileSync(module, moduleOf(SEEDS));
  const options = { folder, files: [module], env: { CALLS: calls } };
  const random = new Random(SEED);

  let server = await startServer(options);
  const port = Number(new URL(server.url).port);
  const ids = await Promise.all(SEEDS.map(async (seed) => (await server.client.start({ workflow_id: `m${seed}` })).execution_id));
  await Promise.all(ids.map((id) => server.client.sendEvent(id, { key: 'GO', payload: {} })));
  for (let kills = 0; kills < KILLS; kills += 1) {
    // In the middle of an activity.
    const enough = linesOf().length + random.between(1, 2 * MACHINES);
    const { client } = server;
    const areOver = async (): Promise<boolean> =>
      (await Promise.all(ids.map((id) => client.execution(id)))).every(
        ({ status }) => status !== 'running' && status !== 'paused',
      );
    await eventually(async () => linesOf().length >= enough || (await areOver()), 'activities have begun');
    await setTimeout(random.between(0, 60));
    await server.kill();
    server = await startServer({ ...options, port });
  }

  const { client } = server;
  for (const [i, { snapshot, calls: expected }] of (await references).entries()) {
    const id = ids[i] ?? '';
    const { status, state } = await client.execution(id, { waitMs: 60_000 });
    const log = await client.events(id);
    const losses = log.filter(({ type }) => type === 'attempt_lost').length;
    expect({ id, status, state: ended(plain(state)) }).toEqual({ id, status: STATUS[String(snapshot.status)], state: snapshot });
    expect(log.filter(({ type, data }) => type === 'node_failed' && data.error === 'runtime lost')).toEqual([]);
    const done = counted(linesOf());
    for (const [name, count] of counted(expected)) {
      const times = done.get(name) ?? 0;
      expect({ name, times, ok: times >= count && times <= count + losses }).toEqual({ name, times, ok: true });
    }
  }
  await server.kill();
  await expectReplays(folder);
});
