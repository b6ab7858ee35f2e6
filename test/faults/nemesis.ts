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
export interface FaultSequence {
  readonly name: string;
  readonly restMs: readonly [least: number, most: number];
  readonly faults: readonly Fault[];
}

/** Does harm until the signal comes. Each lane draws from a seed of its own, so that what it does is the same however long others take. */
export async function injectFaults(
  sequences: readonly FaultSequence[],
  seed: number,
  history: History,
  stopped: AbortSignal,
): Promise<void> {
  await Promise.all(sequences.map((lane, index) => runSequence(lane, new Random(seed * 31 + index), history, stopped)));
}

async function runSequence(
  { name, restMs, faults }: FaultSequence,
  random: Random,
  history: History,
  stopped: AbortSignal,
): Promise<void> {
  while (!stopped.aborted) {
    await after(random.between(...restMs), undefined, { signal: stopped }).catch(() => {});
    if (stopped.aborted) return;
    const fault = pickFault(faults, random);
    const beganMs = history.nowMs();
    try {
      const detail = await fault.apply(random);
      if (detail !== null) history.faults.push({ kind: fault.kind, detail, beganMs, endedMs: history.nowMs() });
    } catch (error) {
      history.addViolation(
        'the harness can do what it wants to do',
        `${name}: ${fault.kind}: ${error instanceof Error ? error.stack : error}`,
      );
    }
  }
}

function pickFault(faults: readonly Fault[], random: Random): Fault {
  let left = random.fraction() * faults.reduce((sum, { weight }) => sum + weight, 0);
  for (const fault of faults) {
    left -= fault.weight;
    if (left < 0) return fault;
  }
  return random.pick(faults);
}
