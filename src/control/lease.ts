import type { ControlChange } from '../../store/notices.ts';
import type { Parts } from './parts.ts';

const NAME = 'control';
const TTL_MS = 30_000;
const RENEW_MS = 10_000;

export interface Held {
  /** The lease was taken. */
  readonly begin: () => Promise<void>;
  /** It was lost: somebody else may have it already. */
  readonly rest: () => Promise<void>;
}

/**
 * Of all runtimes on a database, one holds the lease, and what must go on once goes on there. It is renewed well before it lapses; when its
 * holder is gone, another takes it, at once if it was given back.
 */
export class Lease {
  readonly #parts: Parts;
  readonly #held: Held;
  /** What goes on once goes on here. */
  #hasBegun = false;
  /** Until when the lease is held; 0 = it is not. */
  #untilMs = 0;
  #looking: Promise<void> | null = null;
  #again = false;
  #closed = false;
  #callOff: () => void = () => {};
  #deaf: () => void = () => {};

  constructor(parts: Parts, held: Held) {
    this.#parts = parts;
    this.#held = held;
  }

  async begin(): Promise<void> {
    this.#deaf = this.#parts.runtime.onControl((change) => {
      if (this.#untilMs === 0 && mayBeFree(change)) void this.#look();
    });
    await this.#look();
    this.#schedule();
  }

  /** No more is begun: what runs is the caller's to end, before he gives the lease back. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.#deaf();
    this.#callOff();
    await this.#looking;
  }

  async giveBack(): Promise<void> {
    if (this.#untilMs === 0) return;
    this.#untilMs = 0;
    const { store, runtime, clock, failed } = this.#parts;
    try {
      await store.lease(NAME, runtime.id, clock.nowMs(), 0);
    } catch (error) {
      // It lapses by itself.
      failed(error);
    }
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#callOff = this.#parts.clock.after(RENEW_MS, () => void this.#look().finally(() => this.#schedule()));
  }

  #look(): Promise<void> {
    this.#again = true;
    this.#looking ??= this.#lookAll().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #lookAll(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        await this.#renew();
      } catch (error) {
        this.#parts.failed(error);
      }
    }
  }

  async #renew(): Promise<void> {
    const isMine = await this.#take();
    if (this.#closed || isMine === this.#hasBegun) return;
    if (isMine) await this.#held.begin();
    else await this.#held.rest();
    this.#hasBegun = isMine;
  }

  /** Who cannot ask any more has it until it lapses, and not longer. */
  async #take(): Promise<boolean> {
    const { store, runtime, clock, failed } = this.#parts;
    const nowMs = clock.nowMs();
    try {
      const isMine = await store.lease(NAME, runtime.id, nowMs, TTL_MS);
      this.#untilMs = isMine ? nowMs + TTL_MS : 0;
    } catch (error) {
      failed(error);
      if (clock.nowMs() >= this.#untilMs) this.#untilMs = 0;
    }
    return this.#untilMs > 0;
  }
}

function mayBeFree(change: ControlChange | null): boolean {
  return change === null || change.type === 'lease_returned' || change.type === 'runtime_stopped';
}
