import { hash32 } from '../../hash.ts';
import type { RetryPolicy } from '../../ir/workflow.ts';

/** Attempts of a visit that may follow each other without a delay. Later ones are delayed whatever the policy says, so that none spins. */
export const UNSPACED_ATTEMPTS = 9;
const SPACED = [
  { fromAttempt: 99, ms: 1_000 },
  { fromAttempt: UNSPACED_ATTEMPTS, ms: 100 },
] as const;

/**
 * Milliseconds before attempt `attempt` (1 = the first retry). Jitter takes away up to half of them; `seed` decides how much, so the
 * same attempt of the same visit always has the same delay.
 */
export function backoffMs(policy: RetryPolicy, attempt: number, seed: string): number {
  const { backoff, initial_delay, max_delay, jitter } = policy;
  const leastMs = SPACED.find(({ fromAttempt }) => attempt >= fromAttempt)?.ms ?? 0;
  const factor = backoff === 'fixed' ? 1 : backoff === 'linear' ? attempt : 2 ** Math.min(attempt - 1, 64);
  const fullMs = 1000 * Math.min(max_delay, initial_delay * factor);
  if (fullMs === 0) return leastMs;
  const share = jitter ? 1 - hash32(`${seed}\n${attempt}`) / 2 ** 33 : 1;
  return Math.max(1, leastMs, Math.round(fullMs * share));
}
