import { hash } from 'node:crypto';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** After the first failed attempt, the second …: a day in all. */
const DELAYS_MS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 13 * HOUR];
/** A delay is up to so much shorter or longer, so that what failed together is not tried together. */
const JITTER = 0.2;

/** How long to wait after so many failed attempts; null = give up. The same for the same delivery. */
export function backoffMs(deliveryId: string, failedAttempts: number): number | null {
  const delayMs = DELAYS_MS[failedAttempts - 1];
  if (delayMs === undefined) return null;
  const fraction = Number.parseInt(hash('sha256', `${deliveryId}:${failedAttempts}`, 'hex').slice(0, 8), 16) / 0xffffffff;
  return Math.round(delayMs * (1 - JITTER + 2 * JITTER * fraction));
}
