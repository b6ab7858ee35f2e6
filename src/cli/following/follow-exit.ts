import type { ActiveNode } from '../../views/timeline.ts';
import type { Interrupt } from '../context.ts';

/** Why following ended before the execution did. */
export type FollowExitReason = 'interrupted' | 'timeout' | 'unattended' | 'no_worker';

/** The reason a departure's signal aborts with. */
export class FollowExit extends Error {
  readonly reason: FollowExitReason;
  /** For `no_worker`: the nodes nobody here works on. */
  readonly queuedNodes: readonly ActiveNode[];

  constructor(why: FollowExitReason, queued: readonly ActiveNode[]) {
    super(why);
    this.name = 'Left';
    this.reason = why;
    this.queuedNodes = queued;
  }
}

/** When to stop following: on the interrupt, when the time is over, or when somebody says so. The first reason counts. */
export class FollowController {
  readonly #controller = new AbortController();
  readonly #interrupt: Interrupt;
  readonly #timer: NodeJS.Timeout | null;
  readonly #onInterrupt = () => this.exit('interrupted');

  constructor(interrupt: Interrupt, timeoutMs: number | null) {
    this.#interrupt = interrupt;
    this.#timer = timeoutMs === null ? null : setTimeout(() => this.exit('timeout'), timeoutMs);
    interrupt.signal.addEventListener('abort', this.#onInterrupt, { once: true });
    if (interrupt.signal.aborted) this.#onInterrupt();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  exit(reason: FollowExitReason, queuedNodes: readonly ActiveNode[] = []): void {
    this.#controller.abort(new FollowExit(reason, queuedNodes));
  }

  /** Ends what still goes on under the signal. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#interrupt.signal.removeEventListener('abort', this.#onInterrupt);
    this.exit('interrupted');
  }
}
