import type { ControlChange } from '../../store/port/notifications.ts';
import type { ControlDeps } from './service.ts';

const LEASE_NAME = 'control';
const TTL_MS = 30_000;
const RENEW_MS = 10_000;

export interface LeaseCallbacks {
  /** The lease was taken. */
  readonly onAcquired: () => Promise<void>;
  /** It was lost: somebody else may have it already. */
  readonly onLost: () => Promise<void>;
}

/**
 * Of all runtimes on a database, one holds the lease, and what must go on once goes on there. It is renewed well before it lapses; when its
 * holder is gone, another takes it, at once if it was given back.
 */
export class LeaderLease {
  readonly #deps: ControlDeps;
  readonly #callbacks: LeaseCallbacks;
  /** What goes on once goes on here. */
  #isLeader = false;
  /** Until when the lease is held; 0 = it is not. */
  #heldUntilMs = 0;
  #checking: Promise<void> | null = null;
  #checkRequested = false;
  #closed = false;
  #cancelTimer: () => void = () => {};
  #unsubscribe: () => void = () => {};

  constructor(deps: ControlDeps, callbacks: LeaseCallbacks) {
    this.#deps = deps;
    this.#callbacks = callbacks;
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#deps.runtime.onControl((change) => {
      if (this.#heldUntilMs === 0 && mayBeVacant(change)) void this.#check();
    });
    await this.#check();
    this.#schedule();
  }

  /** No more is begun: what runs is the caller's to end, before he gives the lease back. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    this.#cancelTimer();
    await this.#checking;
  }

  async release(): Promise<void> {
    if (this.#heldUntilMs === 0) return;
    this.#heldUntilMs = 0;
    const { store, runtime, clock, onError: failed } = this.#deps;
    try {
      await store.acquireLease(LEASE_NAME, runtime.id, clock.nowMs(), 0);
    } catch (error) {
      // It lapses by itself.
      failed(error);
    }
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#cancelTimer = this.#deps.clock.after(RENEW_MS, () => void this.#check().finally(() => this.#schedule()));
  }

  #check(): Promise<void> {
    this.#checkRequested = true;
    this.#checking ??= this.#checkUntilSettled().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async #checkUntilSettled(): Promise<void> {
    while (this.#checkRequested && !this.#closed) {
      this.#checkRequested = false;
      try {
        await this.#renew();
      } catch (error) {
        this.#deps.onError(error);
      }
    }
  }

  async #renew(): Promise<void> {
    const isMine = await this.#acquire();
    if (this.#closed || isMine === this.#isLeader) return;
    if (isMine) await this.#callbacks.onAcquired();
    else await this.#callbacks.onLost();
    this.#isLeader = isMine;
  }

  /** Who cannot ask any more has it until it lapses, and not longer. */
  async #acquire(): Promise<boolean> {
    const { store, runtime, clock, onError: failed } = this.#deps;
    const nowMs = clock.nowMs();
    try {
      const isMine = await store.acquireLease(LEASE_NAME, runtime.id, nowMs, TTL_MS);
      this.#heldUntilMs = isMine ? nowMs + TTL_MS : 0;
    } catch (error) {
      failed(error);
      if (clock.nowMs() >= this.#heldUntilMs) this.#heldUntilMs = 0;
    }
    return this.#heldUntilMs > 0;
  }
}

function mayBeVacant(change: ControlChange | null): boolean {
  return change === null || change.type === 'lease_returned' || change.type === 'runtime_stopped';
}
