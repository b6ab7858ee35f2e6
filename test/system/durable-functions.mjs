import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { durable } from 'jamjet-runtime';

const calls = process.env.CALLS;

const call = (name) => appendFileSync(calls, `${name}\n`);

/** Until the test opens the gate. */
async function opened(gate) {
  while (!existsSync(`${calls}.${gate}`)) await setTimeout(10);
}

/** The process is killed while a step of it works. */
export const inStep = durable({
  id: 'in-step',
  version: '1',
  run: async (ctx) => {
    const a = await ctx.step('a', () => call('in-step a') ?? 1);
    const b = await ctx.step('b', async () => {
      call('in-step b');
      await opened('b');
      return a + 1;
    });
    await ctx.sleep('1s');
    const c = await ctx.step('c', async () => {
      call('in-step c');
      await opened('c');
      return b + 1;
    });
    return { a, b, c };
  },
});

/** The process is killed after an operation, and before it begins the next one. */
export const between = durable({
  id: 'between',
  version: '1',
  run: async (ctx) => {
    const a = await ctx.step('a', () => call('between a') ?? 1);
    call('between');
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (!existsSync(`${calls}.b`)) Atomics.wait(pause, 0, 0, 10);
    const b = await ctx.step('b', () => call('between b') ?? a + 1);
    const event = await ctx.event('go');
    return { a, b, event };
  },
});

/** The work of one item of a list: later ones wait for a gate, so that processes can be killed in the middle. */
export async function tally({ item }) {
  if (item >= 300) await opened(item < 600 ? 'items' : 'more items');
  call(`item ${item}`);
  return item;
}

/** Never comes to an operation, and never lets anything else of its process run. */
export const loops = durable({
  id: 'loops',
  version: '1',
  run: () => {
    call('loops');
    for (;;);
  },
});
