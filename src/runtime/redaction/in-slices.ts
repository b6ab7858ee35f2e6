import type { Cooperative } from '../../../machines/cooperative.ts';
import { ColdResults } from '../../../machines/redaction/cold-results.ts';
import type { Slice } from '../scheduling/time-slices.ts';

/**
 * How often a computation is carried out while it needs texts that have not been redacted yet. The texts that one brings up are known to the next,
 * unless they are never the same, such as those with a time in them.
 */
export const MAX_COLD_PASSES = 6;

/** Redacts the texts that a computation was lacking, in slices of the event loop. */
export function redactMissing(cold: ColdResults, slice: Slice): Promise<void> {
  return drive(slice, cold.compute());
}

/** Runs a computation to its end, in slices of the event loop. */
export async function drive<T>(slice: Slice, computation: Cooperative<T>): Promise<T> {
  for (;;) {
    const turn = slice.next();
    if (turn !== null) await turn;
    const { done, value } = computation.next();
    if (done === true) return value;
  }
}

/**
 * The result of a computation without effects that redacts texts. Long ones are redacted in slices first, so that none of them holds up other
 * work: the computation is carried out again for that.
 */
export async function redactedInSlices<T>(slice: Slice, compute: () => T): Promise<T> {
  const cold = new ColdResults();
  for (let pass = 1; pass < MAX_COLD_PASSES; pass += 1) {
    try {
      const result = cold.collect(compute);
      if (cold.isEmpty) return result;
    } catch (error) {
      // What stands for a missing text may be at fault.
      if (cold.isEmpty) throw error;
    }
    await redactMissing(cold, slice);
  }
  return compute();
}

/** Gives the result to a caller who cannot wait: at once, unless long texts have to be redacted in slices first. */
export function redactedSoon<T>(
  slice: Slice,
  compute: () => T,
  take: (result: T) => void,
  onError: (error: unknown) => void,
): void {
  const cold = new ColdResults();
  const result = cold.collect(compute);
  if (cold.isEmpty) take(result);
  else redactedInSlices(slice, compute).then(take, onError);
}
