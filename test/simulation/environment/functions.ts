import type { Json } from '../../../machines/json.ts';
import type { DurableContext } from '../../../src/executors/durable/context.ts';
import type { Random } from '../../support/random.ts';
import { randomStream } from './random-streams.ts';

type Step = { readonly does: 'step'; readonly name: string };

/** What a durable function does: an operation, or operations one after the other, side by side, or of which the first one counts. Names are unique. */
export type Program =
  | { readonly does: 'step' | 'sleep' | 'now' | 'event' | 'approval' | 'expose'; readonly name: string }
  /** A step for each item, whose failures are results. */
  | { readonly does: 'map'; readonly of: readonly Step[]; readonly name: string }
  | { readonly does: 'sequence' | 'all' | 'race'; readonly of: readonly Program[] };

/** What stands for the failure of a step in the result of a function. */
export const FAILED = 'failed';
const DEPTH = 2;
/** How long waits for people and events last, in seconds. */
const LIMITS = [3, 30] as const;

/** The program of a function; the same for all executions. */
export function programOf(seed: number, node: string): Program {
  const random = randomStream(seed, 'function', node);
  // Of waits, whose names are not chosen by the function, there is one each.
  const waits: Program[] = [
    { does: 'sleep', name: 'sleep' },
    { does: 'now', name: 'now' },
    { does: 'event', name: 'key0' },
    { does: 'event', name: 'key1' },
    { does: 'approval', name: 'approval' },
    { does: 'expose', name: 'expose' },
  ];
  return draw(random, DEPTH, waits, { steps: 0 });
}

function draw(random: Random, depth: number, waits: Program[], drawn: { steps: number }): Program {
  if (depth > 0 && random.chance(0.8)) {
    const of = Array.from({ length: random.between(1, 3) }, () => draw(random, depth - 1, waits, drawn));
    return { does: random.pick(['sequence', 'sequence', 'all', 'race']), of };
  }
  if (waits.length > 0 && random.chance(0.35)) return waits.splice(random.between(0, waits.length - 1), 1)[0] as Program;
  drawn.steps += 1;
  const name = `s${drawn.steps}`;
  if (random.chance(0.75)) return { does: 'step', name };
  const of = Array.from({ length: random.between(1, 5) }, (_, i): Step => ({ does: 'step', name: `${name}[${i}]` }));
  return { does: 'map', name, of };
}

/** What a function needs of the simulation. */
export interface FunctionSide {
  readonly random: Random;
  /** The work of an attempt at a step. */
  readonly step: (name: string, attempt: number) => Promise<Json>;
  /** The function was given the result of an operation. */
  readonly given: (name: string, output: Json) => void;
}

/** Runs a program by its context. */
export async function perform(program: Program, ctx: DurableContext, side: FunctionSide): Promise<Json> {
  switch (program.does) {
    case 'sequence': {
      const results: Json[] = [];
      for (const one of program.of) results.push(await perform(one, ctx, side));
      return results;
    }
    case 'all':
      return Promise.all(program.of.map((one) => perform(one, ctx, side)));
    case 'map':
      return mapped(program, ctx, side);
    case 'race':
      return Promise.race(program.of.map((one, i) => perform(one, ctx, side).then(() => i)));
    default: {
      const output = await operation(program.does, program.name, ctx, side);
      side.given(program.name, output);
      return output;
    }
  }
}

/** The name of the updates that every function takes, and keeps. */
export const NOTE = 'note';

/**
 * Runs a program as a durable function does. With its result, it gives the inputs of the updates that it has handled, and the names of the operations whose
 * results it was given, in that order.
 */
export async function performWithNotes(program: Program, ctx: DurableContext, side: FunctionSide): Promise<Json> {
  const notes: Json[] = [];
  // No schema: its check is loaded when it is used first, which takes real time.
  ctx.onUpdate(NOTE, null, (note) => notes.push(note as Json));
  const order: string[] = [];
  const given = (name: string, output: Json): void => {
    // Items of a list are reported once the list is complete.
    if (!name.endsWith(']')) order.push(name);
    side.given(name, output);
  };
  return { result: await perform(program, ctx, Object.assign({}, side, { given })), notes, order };
}

async function mapped(
  { name, of }: Program & { readonly does: 'map' },
  ctx: DurableContext,
  { step, given }: FunctionSide,
): Promise<Json> {
  const run = async (item: Step, _: number, { attempt }: { readonly attempt: number }): Promise<Json> => {
    try {
      return await step(item.name, attempt);
    } catch {
      return FAILED;
    }
  };
  const results = await ctx.map(name, of, run, { maxConcurrency: 2 });
  for (const [i, output] of results.entries()) given(`${name}[${i}]`, output);
  return results;
}

async function operation(
  does: Exclude<Program, { readonly of: unknown }>['does'],
  name: string,
  ctx: DurableContext,
  { step, random }: FunctionSide,
): Promise<Json> {
  const limit = LIMITS[name.length % LIMITS.length] ?? 3;
  switch (does) {
    case 'step':
      try {
        const retry = { maxAttempts: 2, initialDelay: random.pick([0, 1]) } as const;
        return await ctx.step(name, ({ attempt }) => step(name, attempt), { retry });
      } catch (error) {
        if (error instanceof Error && error.name === 'StepError') return FAILED;
        throw error;
      }
    case 'sleep':
      await ctx.sleep(limit);
      return null;
    case 'now':
      return ctx.now();
    case 'expose':
      await ctx.expose({ exposed: true });
      return null;
    case 'event':
      return ctx.event<Json>(name, { timeout: limit });
    case 'approval':
      return { ...(await ctx.approval({ message: 'Go on?', timeout: limit })) };
  }
}
