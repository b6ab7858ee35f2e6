import type { ActiveNode } from '../../views/timeline.ts';
import type { Interrupt } from '../context.ts';

/** Why following stopped before the execution ended. */
export type FollowExitReason = 'interrupted' | 'timeout' | 'unattended' | 'no_worker';

/** Abort reason of a `FollowController`. */
export class FollowExit extends Error {
  readonly reason: FollowExitReason;
  /** For `no_worker`: the queued nodes that no function of this process executes. */
  readonly queuedNodes: readonly ActiveNode[];

  constructor(why: FollowExitReason, queued: readonly ActiveNode[]) {
    super(why);
    this.name = 'Left';
    this.reason = why;
    this.queuedNodes = queued;
  }
}

/** Stops following on an interrupt, after a timeout, or by `exit`. The first reason wins. */
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

  /** Removes the listeners and aborts requests that are still in flight. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#interrupt.signal.removeEventListener('abort', this.#onInterrupt);
    this.exit('interrupted');
  }
}
