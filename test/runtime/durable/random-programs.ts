import { CallError, type DurableContext, durable, Type } from '../../../src/index.ts';
import type { Random } from '../../support/random.ts';

/** A program: operations one after the other, side by side, or of which the first one counts. */
export type Program =
  | { readonly does: 'step' | 'slow step' | 'sleep' | 'uuid' | 'call'; readonly id: number }
  | { readonly does: 'all' | 'sequence' | 'race'; readonly of: readonly Program[] };

export function randomProgram(random: Random, depth: number, ids: { next: number }): Program {
  const leaf = (): Program => {
    ids.next += 1;
    return { does: random.pick(['step', 'step', 'slow step', 'sleep', 'uuid', 'call']), id: ids.next };
  };
  if (depth === 0 || random.chance(0.3)) return leaf();
  const of = Array.from({ length: random.between(1, 4) }, () => randomProgram(random, depth - 1, ids));
  return { does: random.pick(['all', 'sequence', 'race']), of };
}

export const called = durable({
  id: 'called',
  input: Type.Object({ n: Type.Number() }),
  run: async (ctx, { n }) => {
    if (n % 3 === 0) await ctx.sleep(1);
    return ctx.step('n', () => ({ n }));
  },
});

/** A crash before the first operation of the called function counts as an attempt at it, so that it may fail. */
async function callUntilBegun(ctx: DurableContext, id: number): Promise<number> {
  for (;;) {
    try {
      return (await ctx.call(called, { n: id })).n;
    } catch (error) {
      if (!(error instanceof CallError && error.message.includes('runtime lost'))) throw error;
    }
  }
}

/** Runs the program by its context. What each step gives depends on how often it was called, so that a second call shows. */
export async function perform(program: Program, ctx: DurableContext, calls: Map<number, number>): Promise<unknown> {
  const countedCall = (id: number): string => {
    calls.set(id, (calls.get(id) ?? 0) + 1);
    return `${id}#${calls.get(id)}`;
  };
  switch (program.does) {
    case 'step':
      return ctx.step(`s${program.id}`, () => countedCall(program.id));
    case 'slow step':
      return ctx.step(`s${program.id}`, async () => {
        for (let turn = 0; turn < program.id % 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        return countedCall(program.id);
      });
    case 'sleep':
      await ctx.sleep((program.id % 3) + 1);
      return program.id;
    case 'uuid':
      return typeof (await ctx.uuid());
    case 'call':
      return callUntilBegun(ctx, program.id);
    case 'all':
      return Promise.all(program.of.map((one) => perform(one, ctx, calls)));
    case 'race':
      return Promise.race(program.of.map((one) => perform(one, ctx, calls).then(() => 'raced')));
    case 'sequence': {
      const results: unknown[] = [];
      for (const one of program.of) results.push(await perform(one, ctx, calls));
      return results;
    }
  }
}

/** What the program gives if each step is called once, by itself. */
export function model(program: Program): unknown {
  if (program.does === 'uuid') return 'string';
  if (program.does === 'sleep' || program.does === 'call') return program.id;
  if (!('of' in program)) return `${program.id}#1`;
  return program.does === 'race' ? 'raced' : program.of.map(model);
}

export const plain = (value: unknown): string => JSON.stringify(value).replace(/#\d+/g, '#1');
