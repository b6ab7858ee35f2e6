import { expect, it } from 'vitest';
import { type DurableContext, durable, Type } from '../../../src/index.ts';
import { openCluster, waitUntil } from '../../support/cluster.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { CALLER } from '../../support/runtimes.ts';

const server = postgresServer();
/** Longer than a runtime may be silent. */
const LOST_MS = 60_000;

it('stops a durable function whose runtime was silent once another one has begun it again', async () => {
  const { join, advance } = openCluster(postgresDatabase(server));
  const steps: string[] = [];
  const goOn = new Map<string, () => void>();
  const functionOf = (member: string) =>
    durable({
      id: 'f',
      version: '1',
      input: Type.Object({}),
      run: async (ctx: DurableContext) => {
        const step = (name: string, run: () => unknown = () => null) =>
          ctx.step(name, async () => {
            steps.push(`${member} ${name}`);
            await run();
          });
        await step('one');
        await step('two', () => new Promise<void>((resolve) => goOn.set(member, resolve)));
        await step('three');
        return { member };
      },
    });
  const [first, second] = [await join({ tools: functionOf('a').tools }), await join({ tools: functionOf('b').tools })];
  const id = await first.run(functionOf('a').document);
  await waitUntil(() => steps.includes('a two'));
  await waitUntil(async () => (await first.log(id)).some(({ data }) => data.name === 'one'));
  first.freeze();
  await advance(LOST_MS);
  await waitUntil(() => steps.includes('b two'));
  goOn.get('a')?.();
  await waitUntil(() => first.runtime.inProcess().running === 0);
  goOn.get('b')?.();
  expect(await second.settled(id)).toMatchObject({ status: 'completed', state: { member: 'b' } });
  await first.thaw();
  expect(steps.filter((step) => step.endsWith('three'))).toEqual(['b three']);
  const results = (await second.log(id)).filter(({ type }) => type === 'step_completed');
  expect(results.map(({ data }) => data.name)).toEqual(['one', 'two', 'three']);
  expect([first.errors, second.errors]).toEqual([[], []]);
});

it('takes an update that another runtime was sent before the function had named it, once', async () => {
  const { join } = openCluster(postgresDatabase(server));
  let goOn: (() => void) | null = null;
  const definition = durable({
    id: 'f',
    version: '1',
    run: async (ctx: DurableContext) => {
      await ctx.step('prepare', () => new Promise<void>((resolve) => (goOn = resolve)));
      ctx.onUpdate('add', Type.Object({ n: Type.Number() }), ({ n }) => n + 1);
      await ctx.event('end');
    },
  });
  const first = await join({ tools: definition.tools });
  const second = await join();
  const id = await first.run(definition.document);
  await waitUntil(() => first.runtime.inProcess().running === 1);
  const update = { name: 'add', input: { n: 1 }, idempotencyKey: 'k' };
  const given = [second, first, second].map(({ runtime }) => runtime.sendUpdate(CALLER, id, update));
  await waitUntil(() => goOn !== null);
  (goOn as (() => void) | null)?.();
  const [receipt, ...others] = await Promise.all(given);
  expect(others).toEqual([receipt, receipt]);
  const sequence = receipt?.sequence ?? 0;
  expect(await second.runtime.updateOutcome('default', id, sequence)).toEqual({ status: 'completed', output: 2 });
  expect((await second.log(id)).filter(({ type }) => type === 'update_received')).toHaveLength(1);
  expect([first.errors, second.errors]).toEqual([[], []]);
});
