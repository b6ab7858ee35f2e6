import type { ControlChange } from '../../store/port/notifications.ts';
import { Coalesced } from '../runtime/coalesce.ts';
import type { ControlDeps } from './service.ts';

const LEASE_NAME = 'control';
const TTL_MS = 30_000;
const RENEW_MS = 10_000;

export interface LeaseCallbacks {
  /** Called when this runtime has become the holder. */
  readonly onAcquired: () => Promise<void>;
  /** Called when the lease was lost; another runtime may already hold it. */
  readonly onLost: () => Promise<void>;
}

/**
 * The lease that makes one runtime of a cluster the leader, which runs the singleton services. The holder renews it well before it expires.
 * Another runtime acquires it when it expires, or at once when it is released. A holder whose lease expired may not know it yet, so the
 * services must tolerate a short overlap.
 */
export class LeaderLease {
  readonly #deps: ControlDeps;
  readonly #callbacks: LeaseCallbacks;
  /** Do the singleton services run here? */
  #isLeader = false;
  /** When the lease that this runtime holds expires; 0 = it holds none. */
  #heldUntilMs = 0;
  readonly #checks = new Coalesced(() => this.#check());
  #closed = false;
  #cancelTimer: () => void = () => {};
  #unsubscribe: () => void = () => {};

  constructor(deps: ControlDeps, callbacks: LeaseCallbacks) {
    this.#deps = deps;
    this.#callbacks = callbacks;
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#deps.runtime.onControl((change) => {
      if (this.#heldUntilMs === 0 && mayBeVacant(change)) void this.#checks.run();
    });
    await this.#checks.run();
    this.#schedule();
  }

  /** Stops acquiring and renewing. The caller closes the services and then calls `release`. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    this.#cancelTimer();
    await this.#checks.idle();
  }

  async release(): Promise<void> {
    if (this.#heldUntilMs === 0) return;
    this.#heldUntilMs = 0;
    const { store, runtime, clock, onError } = this.#deps;
    try {
      await store.acquireLease(LEASE_NAME, runtime.id, clock.nowMs(), 0);
    } catch (error) {
      // The lease expires without it.
      onError(error);
    }
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#cancelTimer = this.#deps.clock.after(RENEW_MS, () => void this.#checks.run().finally(() => this.#schedule()));
  }

  /** Never rejects. */
  async #check(): Promise<void> {
    if (this.#closed) return;
    try {
      const isMine = await this.#acquire();
      if (this.#closed || isMine === this.#isLeader) return;
      if (isMine) await this.#callbacks.onAcquired();
      else await this.#callbacks.onLost();
      this.#isLeader = isMine;
    } catch (error) {
      this.#deps.onError(error);
    }
  }

  /** Acquires or renews. While the store does not answer, the lease counts as held until it expires. */
  async #acquire(): Promise<boolean> {
    const { store, runtime, clock, onError } = this.#deps;
    const nowMs = clock.nowMs();
    try {
      const isMine = await store.acquireLease(LEASE_NAME, runtime.id, nowMs, TTL_MS);
      this.#heldUntilMs = isMine ? nowMs + TTL_MS : 0;
    } catch (error) {
      onError(error);
      if (clock.nowMs() >= this.#heldUntilMs) this.#heldUntilMs = 0;
    }
    return this.#heldUntilMs > 0;
  }
}

function mayBeVacant(change: ControlChange | null): boolean {
  return change === null || change.type === 'lease_returned' || change.type === 'runtime_stopped';
}
