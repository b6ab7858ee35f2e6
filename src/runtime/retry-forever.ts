import type { Clock } from './clock.ts';
import { RuntimeError } from './errors.ts';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;

export interface RetryOptions {
  readonly clock: Clock;
  readonly stopped: () => boolean;
  readonly failed: (error: unknown) => void;
}

/**
 * Does what must not be given up because the store is away for a while (the outcome of work done, a timer, a message
 * between executions): again with growing delays until it works, or until the runtime stops; recovery finds it then.
 * An execution that cannot be loaded or stepped is reported and left as it is. Never rejects; null = given up.
 */
export async function retryForever<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T | null> {
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
    try {
      return await attempt();
    } catch (error) {
      options.failed(error);
      if (options.stopped() || (error instanceof RuntimeError && error.code === 'corrupt')) return null;
    }
    await new Promise<void>((resolve) => {
      options.clock.after(delayMs, resolve);
    });
    if (options.stopped()) return null;
  }
}
