import { expect, it } from 'vitest';
import { createRuntime } from '../../../src/runtime/index.ts';
import type { Runtime } from '../../../src/runtime/types/runtime.ts';
import { StoreError } from '../../../store/port/errors.ts';
import type { StoreNotification } from '../../../store/port/notifications.ts';
import type { Store } from '../../../store/port/store.ts';
import { FakeClock } from '../../support/clock.ts';
import { openCluster, waitUntil } from '../../support/cluster.ts';
import { one, pair, tool } from '../../support/cluster-workflows.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { CALLER } from '../../support/runtimes.ts';
import { withOverrides } from '../../support/stores.ts';

const server = postgresServer();
const GAP: StoreNotification = {
  executions: [],
  dueAtMs: null,
  queues: [],
  inbox: false,
  control: [],
  gap: true,
  commitsLost: false,
};

/** The real store, whose replies to commits arrive only once `arrive` is called; `tell` notifies of a gap. */
function slowStore(real: Store) {
  let arrive: () => void = () => {};
  let tell: (notice: StoreNotification) => void = () => {};
  const held = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const overrides: Partial<Store> = {
    async commit(batch) {
      const answer = await real.commit(batch);
      await held;
      return answer;
    },
    subscribe(subscriber) {
      tell = subscriber;
      return real.subscribe(subscriber);
    },
  };
  return { store: withOverrides(real, overrides), arrive: () => arrive(), lookAgain: () => tell(GAP) };
}

it('starts in-process work once when a look at the store finds it before the reply to the commit', async () => {
  const real = await postgresDatabase(server).open();
  const { store, arrive, lookAgain } = slowStore(real);
  let calls = 0;
  const tools = { work: () => ++calls };
  const runtime = await createRuntime({ store, tools, clock: new FakeClock() });
  await runtime.register(CALLER, one);
  const starting = runtime.start(CALLER, { workflowId: 'one' });
  await waitUntil(async () => (await real.executionsWithLocalWork({ after: '', limit: 1 })).length === 1);
  lookAgain();
  await waitUntil(() => calls > 0);
  arrive();
  const { executionId } = await starting;
  expect(await runtime.settled('default', executionId, 60_000)).toMatchObject({ status: 'completed', state: { work: 1 } });
  expect(calls).toBe(1);
  await runtime.close(0);
});

it('continues work that it took from the queue when a look at the store finds it before the reply to the commit', async () => {
  const database = postgresDatabase(server);
  const { join } = openCluster(database);
  const without = await join();
  const id = await without.run(one);
  await without.runtime.close(0);
  const { store, arrive, lookAgain } = slowStore(await database.open());
  let calls = 0;
  let end: (output: number) => void = () => {};
  const tools = {
    work: () => {
      calls += 1;
      return new Promise<number>((resolve) => {
        end = resolve;
      });
    },
  };
  const creating = createRuntime({ store, tools, clock: new FakeClock() });
  await waitUntil(async () => (await store.executionsWithLocalWork({ after: '', limit: 1 })).length === 1);
  lookAgain();
  await waitUntil(() => calls > 0);
  arrive();
  const runtime = await creating;
  end(7);
  expect(await runtime.settled('default', id, 60_000)).toMatchObject({ status: 'completed', state: { work: 7 } });
  expect(calls).toBe(1);
  await runtime.close(0);
});

it.each(['another runtime', 'a commit whose reply was lost'])(
  'starts no work that %s made due and that was cancelled here while a look at the store found it',
  async (by) => {
    const database = postgresDatabase(server);
    const begun: string[] = [];
    const tools = {
      slow: () => new Promise(() => {}),
      quick: () => begun.push('quick'),
      work: () => begun.push('work'),
    };
    const other = await openCluster(database).join({ tools });
    const real = await database.open();
    let approved = false;
    let isReplyLost = false;
    let found: (() => void) | null = null;
    const store = withOverrides(real, {
      async execution(executionId) {
        const row = await real.execution(executionId);
        if (approved && found === null) await new Promise<void>((resolve) => (found = resolve));
        return row;
      },
      async commit(batch) {
        const reply = await real.commit(batch);
        if (!isReplyLost) return reply;
        isReplyLost = false;
        throw new StoreError('store_unavailable', 'the database became unreachable during a commit');
      },
    });
    const owner = await createRuntime({ store, tools, clock: new FakeClock() });
    await owner.register(CALLER, pair);
    const { executionId } = await owner.start(CALLER, { workflowId: 'pair' });
    const approve = (who: Runtime) => who.approve(CALLER, executionId, { decision: 'approved' });
    isReplyLost = by !== 'another runtime';
    if (isReplyLost) await expect(approve(owner)).rejects.toMatchObject({ code: 'store_unavailable' });
    approved = true;
    if (by === 'another runtime') await approve(other.runtime);
    await waitUntil(() => found !== null);
    await owner.cancel(CALLER, executionId);
    (found as unknown as () => void)();
    // What has been found is looked at before what comes later.
    await owner.register(CALLER, one);
    await owner.settled('default', (await owner.start(CALLER, { workflowId: 'one' })).executionId, 60_000);
    expect(begun).toEqual(['work']);
    await owner.close(0);
    await real.close();
  },
);

it('leaves an execution to its owner when the owner has committed while it was loaded elsewhere', async () => {
  const database = postgresDatabase(server);
  const { join } = openCluster(database);
  let end: (output: number) => void = () => {};
  let calls = 0;
  const work = (): Promise<number> | number => {
    if (++calls === 1) throw Object.assign(new Error('no luck'), { retryable: false });
    return new Promise<number>((resolve) => {
      end = resolve;
    });
  };
  const owner = await join({ tools: { work }, checkpointLogBytes: 0 });
  const id = await owner.run(one);
  expect(await owner.settled(id)).toMatchObject({ status: 'failed' });
  const real = await database.open();
  let retried: Promise<unknown> | null = null;
  const store = withOverrides(real, {
    async checkpoint(executionId) {
      retried ??= owner.runtime.retry(CALLER, id);
      await retried;
      return real.checkpoint(executionId);
    },
  });
  const other = await createRuntime({ store, tools: { work: () => 0 }, clock: new FakeClock() });
  await other.sendEvent(CALLER, id, { key: 'k', payload: 1 });
  expect((await real.execution(id))?.owner).toBe(owner.runtime.id);
  end(7);
  expect(await owner.settled(id)).toMatchObject({ status: 'completed', state: { work: 7 } });
  expect(calls).toBe(2);
  await other.close(0);
  await real.close();
});

it('reads an execution again that was retried after its checkpoint was read', async () => {
  const database = postgresDatabase(server);
  const owner = await openCluster(database).join({ checkpointLogBytes: 0 });
  const wait = { workflow_id: 'wait', version: '1', nodes: { work: tool('work') }, edges: [] } as never;
  const id = await owner.run(wait);
  const claim = async () => {
    const [item] = await owner.runtime.claim(CALLER, { workerId: 'w', queueTypes: ['tool'], maxItems: 1, waitMs: 30_000 });
    return item ?? expect.unreachable('there is no work');
  };
  const { id: itemId, leaseFence } = await claim();
  const real = await database.open();
  let isFirst = true;
  const store = withOverrides(real, {
    async checkpoint(...asked) {
      if (!isFirst) return real.checkpoint(...asked);
      isFirst = false;
      await owner.runtime.fail(CALLER, itemId, { error: 'no luck', retryable: false, leaseFence });
      const found = await real.checkpoint(...asked);
      await owner.runtime.retry(CALLER, id);
      return found;
    },
  });
  const other = await createRuntime({ store, clock: new FakeClock() });
  await other.sendEvent(CALLER, id, { key: 'k', payload: 1 });
  const again = await claim();
  await owner.runtime.complete(CALLER, again.id, { output: 7, leaseFence: again.leaseFence });
  expect(await owner.settled(id)).toMatchObject({ status: 'completed', state: { work: 7 } });
  await other.close(0);
  await real.close();
});

it('gives two requests with one idempotency key the same response, also when the event ended the execution', async () => {
  const { join } = openCluster(postgresDatabase(server));
  const [a, b] = [await join(), await join()];
  const nodes = { w: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'k' } } };
  const id = await a.run({ workflow_id: 'wait', version: '1', nodes, edges: [] } as never);
  const send = (member: typeof a) => member.runtime.sendEvent(CALLER, id, { key: 'k', payload: 1, idempotencyKey: 'once' });
  const answers = await Promise.all([send(a), send(a), send(b), send(b)]);
  expect(answers).toEqual(answers.map(() => ({ matched: true, nodeId: 'w' })));
  expect((await a.log(id)).filter(({ type }) => type === 'external_event_received')).toHaveLength(1);
});
