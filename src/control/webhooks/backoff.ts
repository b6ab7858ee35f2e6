import { hash } from 'node:crypto';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Delay after the first failed attempt, the second …: about a day in total. */
const DELAYS_MS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 13 * HOUR];
/** Relative jitter of a delay, so that deliveries that failed together are not retried together. */
const JITTER = 0.2;

/** Milliseconds to wait after `failedAttempts`; null = give up. Deterministic per delivery. */
export function backoffMs(deliveryId: string, failedAttempts: number): number | null {
  const delayMs = DELAYS_MS[failedAttempts - 1];
  if (delayMs === undefined) return null;
  const fraction = Number.parseInt(hash('sha256', `${deliveryId}:${failedAttempts}`, 'hex').slice(0, 8), 16) / 0xffffffff;
  return Math.round(delayMs * (1 - JITTER + 2 * JITTER * fraction));
}
