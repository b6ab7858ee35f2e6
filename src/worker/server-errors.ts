import { ApiError, Unreachable } from '../client/index.ts';

/** The lease of an item was lost, or its result was taken already: nothing that is reported of it counts any more. */
export function isLostLease(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 409 || error.status === 404);
}

/** Will the same request succeed later: is the server restarting, overloaded or unreachable, or the tenant suspended? */
export function isTransient(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  if (!(error instanceof ApiError)) return false;
  return error.status >= 500 || error.status === 408 || error.status === 429 || error.code === 'tenant_not_active';
}

const FIRST_MS = 250;
const MOST_MS = 10_000;

/** The pause before a request is repeated that has failed `failures` times in a row; `random` is from 0 to 1. */
export function backoffMs(failures: number, random: number): number {
  const ms = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  // So that the workers of a server that restarts do not all come back at once.
  return Math.round(ms * (0.5 + random / 2));
}
