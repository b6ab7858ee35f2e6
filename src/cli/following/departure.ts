import type { Interrupt } from '../context.ts';
import type { Active } from '../timeline.ts';

/** Why following ended before the execution did. */
export type Leave = 'interrupted' | 'timeout' | 'unattended' | 'no_worker';

/** The reason a departure's signal aborts with. */
export class Left extends Error {
  readonly why: Leave;
  /** For `no_worker`: the nodes nobody here works on. */
  readonly queued: readonly Active[];

  constructor(why: Leave, queued: readonly Active[]) {
    super(why);
    this.name = 'Left';
    this.why = why;
    this.queued = queued;
  }
}

/** When to stop following: on the interrupt, when the time is over, or when somebody says so. The first reason counts. */
export class Departure {
  readonly #controller = new AbortController();
  readonly #interrupt: Interrupt;
  readonly #timer: NodeJS.Timeout | null;
  readonly #onInterrupt = () => this.leave('interrupted');

  constructor(interrupt: Interrupt, timeoutMs: number | null) {
    this.#interrupt = interrupt;
    this.#timer = timeoutMs === null ? null : setTimeout(() => this.leave('timeout'), timeoutMs);
    interrupt.signal.addEventListener('abort', this.#onInterrupt, { once: true });
    if (interrupt.signal.aborted) this.#onInterrupt();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  leave(why: Leave, queued: readonly Active[] = []): void {
    this.#controller.abort(new Left(why, queued));
  }

  /** Ends what still goes on under the signal. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#interrupt.signal.removeEventListener('abort', this.#onInterrupt);
    this.leave('interrupted');
  }
}
