import { setTimeout as after } from 'node:timers/promises';
import { Random } from '../support/random.ts';
import type { History } from './history.ts';

export interface Fault {
  readonly kind: string;
  /** Relative frequency within its sequence. */
  readonly weight: number;
  /** Injects the fault and repairs it. Returns what was hit, or null if there was nothing to hit; then the fault does not count. */
  apply(random: Random): Promise<string | null>;
}

/** Faults that are injected one after the other. Different sequences run concurrently. */
export interface FaultSequence {
  readonly name: string;
  readonly restMs: readonly [least: number, most: number];
  readonly faults: readonly Fault[];
}

/** Injects faults until the signal aborts. Each sequence has its own seed, so that its faults do not depend on the timing of the others. */
export async function injectFaults(
  sequences: readonly FaultSequence[],
  seed: number,
  history: History,
  stopped: AbortSignal,
): Promise<void> {
  await Promise.all(sequences.map((sequence, index) => runSequence(sequence, new Random(seed * 31 + index), history, stopped)));
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
      history.addViolation('the test harness works', `${name}: ${fault.kind}: ${error instanceof Error ? error.stack : error}`);
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
