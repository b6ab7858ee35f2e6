import { expect, it } from 'vitest';
import { durable } from '../../src/index.ts';
import { FakeClock } from '../support/clock.ts';
import { postgresDatabase, postgresServer } from '../support/postgres.ts';
import { CALLER, eventually } from '../support/runtimes.ts';
import { ended, mortal, pass, serving } from './functions.ts';

const postgres = postgresServer();

it('a durable function in workers on PostgreSQL: it parks, and goes on elsewhere when its worker is killed', async () => {
  const calls: string[] = [];
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const definition = durable({
    id: 'f',
    run: async (ctx) => {
      const [paid, a] = await Promise.all([ctx.event('paid'), ctx.step('a', () => calls.push('a'))]);
      await ctx.step('b', () => calls.push('b'));
      await ctx.step('c', () => {
        begin();
        return calls.push('c') === 3 ? new Promise(() => {}) : null;
      });
      return { paid, a };
    },
  });
  const clock = new FakeClock();
  const store = await postgresDatabase(postgres).open({ nowMs: () => clock.nowMs() });
  const server = await serving([definition], { store, clock });
  const { fetch, kill } = mortal();
  server.work('w1', { fetch });
  const id = await server.run(definition.document, {});
  await eventually(async () => (await server.timeline(id)).includes('function_parked run'));
  await server.runtime.sendEvent(CALLER, id, { key: 'paid', payload: { by: 'ann' } });
  await begun;
  await eventually(async () => (await server.timeline(id)).filter((line) => line === 'step_completed run').length === 3);
  kill();
  server.work('w2');
  await pass(server, id, 30_000);
  expect(await ended(server, id)).toMatchObject({ status: 'completed', state: { paid: { by: 'ann' }, a: 1 } });
  expect(calls).toEqual(['a', 'b', 'c', 'c']);
  expect(await server.timeline(id)).not.toContain('node_failed run');
  expect(server.errors).toEqual([]);
});
