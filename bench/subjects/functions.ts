import { durable } from '../../src/builder/durable.ts';
import { work } from './tools.ts';

/** Calls the small function of the throughput measurements in one step after another. */
export const stepping = durable({
  id: 'stepping',
  version: '1',
  run: async (ctx, input) => {
    const { count } = input as { readonly count: number };
    let state = { n: 0 };
    while (state.n < count) state = await ctx.step('work', () => work(state));
    return state;
  },
});

/** Waits after its steps, for the event that a dormant execution waits for. */
export const waiting = durable({
  id: 'waiting-function',
  version: '1',
  run: async (ctx, input) => {
    const { count } = input as { readonly count: number };
    let state = { n: 0 };
    while (state.n < count) state = await ctx.step('work', () => work(state));
    await ctx.event('wake');
    return state;
  },
});
