import { expect, it } from 'vitest';
import type { JsonObject } from '../../../../machines/json.ts';
import { createRuntime } from '../../../../src/runtime/index.ts';
import type { WorkItemView } from '../../../../src/runtime/types/work.ts';
import type { Store } from '../../../../store/port/store.ts';
import { CALLER, eventually } from '../../../support/runtimes.ts';
import { signal } from '../../../support/signal.ts';
import { sqliteDatabase, withOverrides } from '../../../support/stores.ts';

/** Its only node exceeds the budget, so each segment ends with it. */
const counting: JsonObject = {
  workflow_id: 'count',
  version: '1',
  start_node: 'count',
  token_budget: { total_tokens: 5 },
  continue_as_new: true,
  nodes: { count: { kind: { type: 'python_fn', module: 'm', function: 'count' } } },
  edges: [{ from: 'count', to: 'count', condition: 'true' }],
};
const parent: JsonObject = {
  workflow_id: 'parent',
  version: '1',
  start_node: 'child',
  nodes: { child: { kind: { type: 'subgraph', workflow_ref: 'count' } } },
  edges: [],
};

async function openChildren(overrides: (real: Store) => Partial<Store>) {
  const real = await sqliteDatabase().open();
  const runtime = await createRuntime({ store: withOverrides(real, overrides(real)) });
  for (const workflow of [counting, parent]) await runtime.register(CALLER, workflow);
  return {
    real,
    runtime,
    start: async () => (await runtime.start(CALLER, { workflowId: 'parent' })).executionId,
    async claim(): Promise<WorkItemView> {
      const [item] = await runtime.claim(CALLER, { workerId: 'w', queueTypes: ['python_tool'], maxItems: 1, waitMs: 5_000 });
      return item ?? expect.unreachable('there is no work');
    },
    complete: ({ id, leaseFence }: WorkItemView) =>
      runtime.complete(CALLER, id, { output: {}, usage: { inputTokens: 6 }, leaseFence }),
  };
}

it('tells a parent that its child continues, though the message is found before the reply to the commit that sent it', async () => {
  const [stored, read, arrival] = [signal(), signal(), signal()];
  let slow = '';
  const { real, runtime, start, claim, complete } = await openChildren((real) => ({
    async commit(batch) {
      const reply = await real.commit(batch);
      if (!batch.units.some(({ executions }) => executions.some(({ id }) => id === slow))) return reply;
      stored.give();
      await arrival.given;
      return reply;
    },
    async inbox(page) {
      if (slow === '') return real.inbox(page);
      await stored.given;
      const rows = await real.inbox(page);
      // By the next turn of the event loop, the runtime has looked at them.
      setImmediate(read.give);
      return rows;
    },
  }));
  const [, executionId] = [await start(), await start()];
  const [first, second] = [await claim(), await claim()];
  slow = second.executionId;
  // Its message lets the runtime look into the inbox, where it finds that of the second, too.
  await complete(first);
  const completed = complete(second);
  await read.given;
  arrival.give();
  await completed;
  const types = async () => (await real.events(executionId, { after: 0, limit: 100 })).rows.map(({ type }) => type);
  await eventually(async () => (await types()).length > 3);
  expect(await types()).toEqual(['workflow_started', 'node_started', 'child_workflow_started', 'child_workflow_started']);
  await runtime.close(0);
});

it('cancels a child that continues faster than the messages that cancel it arrive', async () => {
  let isCancelled = false;
  let segments = 1;
  const bench = await openChildren((real) => ({
    async inbox(page) {
      // Whatever is found, one more segment has ended meanwhile.
      if (isCancelled && segments < 20) {
        const [next] = await real.unclaimedWork({ queue: 'python_tool', after: '', limit: 1 });
        if (next !== undefined) {
          segments += 1;
          await bench.complete(await bench.claim());
        }
      }
      return real.inbox(page);
    },
  }));
  const { runtime, real } = bench;
  const id = await bench.start();
  await eventually(async () => (await real.unclaimedWork({ queue: 'python_tool', after: '', limit: 1 })).length === 1);
  isCancelled = true;
  await runtime.cancel(CALLER, id);
  const statuses = async () => (await runtime.executions('default', { limit: 50 })).executions.map(({ status }) => status);
  await eventually(async () => !(await statuses()).includes('running'));
  expect((await statuses()).sort()).toEqual(['cancelled', 'cancelled', 'limit_exceeded']);
  await runtime.close(0);
});

it('follows a child from segment to segment, in whatever order their messages are found', async () => {
  const held = signal();
  let isHeld = true;
  const { real, start, claim, complete, runtime } = await openChildren((real) => ({
    async inbox(page) {
      if (isHeld) await held.given;
      return (await real.inbox(page)).toReversed();
    },
  }));
  const id = await start();
  for (let i = 0; i < 3; i += 1) await complete(await claim());
  isHeld = false;
  held.give();
  const children = async () =>
    (await real.events(id, { after: 0, limit: 100 })).rows.filter(({ type }) => type === 'child_workflow_started');
  await eventually(async () => (await children()).length === 4);
  const { executionId } = await claim();
  expect((await children()).at(-1)?.data).toMatchObject({ child_execution_id: executionId });
  await runtime.close(0);
});
