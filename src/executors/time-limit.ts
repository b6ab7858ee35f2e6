import { createContext, Script } from 'node:vm';

/** Longest time for which one call may block this process. */
const LIMIT_MS = 250;
/** Calls that were stopped, though the machine gave this process less than half of the time: they are repeated, at most as often. */
const MAX_STARVED = 4;

const body: { run: (() => void) | null } = { run: null };
const call = new Script('run()');
let context: object | null = null;

/**
 * Runs a function whose time an author determines, as that of a regular expression, and stops it after `LIMIT_MS`: then it throws `tooSlow`. On
 * a busy machine the function may be run again from its beginning. What it has built until it is stopped must not be used. Takes about 0.1 ms
 * more than the function.
 */
export function withinTimeLimit<T>(run: () => T, tooSlow: () => Error): T {
  context ??= createContext(body);
  let result: { readonly value: T } | null = null;
  body.run = () => {
    result = { value: run() };
  };
  try {
    for (let starved = 0; ; starved += 1) {
      const before = process.cpuUsage();
      try {
        // Stops whatever runs within the call, not only code of the context.
        call.runInContext(context, { timeout: LIMIT_MS });
        break;
      } catch (error) {
        if (!isTimeout(error)) throw error;
        const { user, system } = process.cpuUsage(before);
        if (starved === MAX_STARVED || user + system > (LIMIT_MS * 1_000) / 2) throw tooSlow();
      }
    }
  } finally {
    body.run = null;
  }
  return (result as unknown as { readonly value: T }).value;
}

/** The error is of the context, so it is no `Error` of this one. */
function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
