import { setTimeout as after } from 'node:timers/promises';
import { Random } from '../support/random.ts';
import type { History } from './history.ts';

export interface Fault {
  readonly kind: string;
  /** How often it is drawn, compared with the others of its lane. */
  readonly weight: number;
  /** Makes it happen and mends it. Answers what was hit, or null when there was nothing to hit: then it does not count. */
  apply(random: Random): Promise<string | null>;
}

/** Faults that happen one after the other. What lies in different lanes happens at the same time. */
export interface Lane {
  readonly name: string;
  readonly restMs: readonly [least: number, most: number];
  readonly faults: readonly Fault[];
}

/** Does harm until the signal comes. Each lane draws from a seed of its own, so that what it does is the same however long others take. */
export async function unleash(lanes: readonly Lane[], seed: number, history: History, over: AbortSignal): Promise<void> {
  await Promise.all(lanes.map((lane, index) => run(lane, new Random(seed * 31 + index), history, over)));
}

async function run({ name, restMs, faults }: Lane, random: Random, history: History, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await after(random.between(...restMs), undefined, { signal: over }).catch(() => {});
    if (over.aborted) return;
    const fault = draw(faults, random);
    const beganMs = history.nowMs();
    try {
      const detail = await fault.apply(random);
      if (detail !== null) history.faults.push({ kind: fault.kind, detail, beganMs, endedMs: history.nowMs() });
    } catch (error) {
      history.violated(
        'the harness can do what it wants to do',
        `${name}: ${fault.kind}: ${error instanceof Error ? error.stack : error}`,
      );
    }
  }
}

function draw(faults: readonly Fault[], random: Random): Fault {
  let left = random.fraction() * faults.reduce((sum, { weight }) => sum + weight, 0);
  for (const fault of faults) {
    left -= fault.weight;
    if (left < 0) return fault;
  }
  return random.pick(faults);
}
