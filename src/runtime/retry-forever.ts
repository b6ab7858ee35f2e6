import type { Clock } from './clock.ts';
import { RuntimeError } from './errors.ts';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;

export interface RetryOptions {
  readonly clock: Clock;
  /** Ends the retries, and the delay before the next. */
  readonly stopping: AbortSignal;
  /** Told of each failed attempt. */
  readonly onError: (error: unknown) => void;
}

/**
 * Attempts what must not be lost while the store is unreachable (the outcome of work, a timer, a message between executions) until it
 * succeeds or the runtime stops; recovery takes it up then. The delays grow from 100 ms to 5 s. An execution that is corrupt is
 * reported once and left as it is. Never rejects; null = given up.
 */
export async function retryForever<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T | null> {
  try {
    return await attempt();
  } catch (error) {
    return retryAfter(options, error, attempt);
  }
}

/** The same for what has failed once already. */
export async function retryAfter<T>(options: RetryOptions, failure: unknown, attempt: () => Promise<T>): Promise<T | null> {
  let error = failure;
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
    options.onError(error);
    if (options.stopping.aborted || (error instanceof RuntimeError && error.code === 'corrupt')) return null;
    await passed(options, delayMs);
    if (options.stopping.aborted) return null;
    try {
      return await attempt();
    } catch (again) {
      error = again;
    }
  }
}

function passed({ clock, stopping }: RetryOptions, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancelTimer();
      stopping.removeEventListener('abort', end);
      resolve();
    };
    const cancelTimer = clock.after(delayMs, end);
    stopping.addEventListener('abort', end, { once: true });
  });
}
