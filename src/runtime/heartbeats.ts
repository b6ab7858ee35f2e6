import { StoreError, type StoreErrorCode } from '../../store/port/errors.ts';
import { Coalesced } from './coalesce.ts';
import type { RuntimeContext } from './context.ts';
import { retryForever } from './retry-forever.ts';

/** How often a runtime on a shared database shows that it is live. */
export const HEARTBEAT_MS = 10_000;
/** On a database of its own, a heartbeat only serves the list of workers, and detects a database that was replaced. */
const UNSHARED_HEARTBEAT_MS = 20_000;
/** When to try again after a failed heartbeat. */
const RETRY_MS = 1_000;
/** How long a runtime that stops tries to record it: a database that restarts is back by then. */
const SIGN_OFF_TIMEOUT_MS = 5_000;

export interface HeartbeatsOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'runtimeId' | 'events' | 'onError'> {
  /** The tools of this runtime, for any tenant. */
  readonly tools: readonly string[];
  /** Called after each heartbeat; its errors count as errors of the heartbeat. */
  readonly afterHeartbeat: () => Promise<void>;
}

/** Records at intervals that this runtime is live, and knows whether the store can be written. */
export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  readonly #beats = new Coalesced(() => this.#tryBeat());
  #cancelTimer: () => void = () => {};
  #ended = false;
  #fault: StoreErrorCode | null = null;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
    // A known fault is checked again before long anyway.
    options.events.on('storeFailed', () => {
      if (this.#fault === null && !this.#ended) this.#beatNow();
    });
  }

  /** The error of the last heartbeat; null = there was none. */
  get fault(): StoreErrorCode | null {
    return this.#fault;
  }

  async begin(): Promise<void> {
    await this.#beat();
    this.#schedule(this.#intervalMs);
  }

  async #beat(): Promise<void> {
    const { store, clock, runtimeId, afterHeartbeat } = this.#options;
    const actor = { actorId: runtimeId, actorType: 'system', request: null } as const;
    const atMs = clock.nowMs();
    await store.heartbeat({
      id: runtimeId,
      tenantId: null,
      kind: 'runtime',
      queues: [],
      tools: this.#options.tools,
      atMs,
      claimed: 0,
      actor,
    });
    await afterHeartbeat();
  }

  get #intervalMs(): number {
    return this.#options.store.shared ? HEARTBEAT_MS : UNSHARED_HEARTBEAT_MS;
  }

  /** The interval counts from the start of a heartbeat, however long it takes. */
  #schedule(delayMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(delayMs, () => this.#beatNow());
  }

  #beatNow(): void {
    this.#schedule(this.#intervalMs);
    void this.#beats.run();
  }

  async #tryBeat(): Promise<void> {
    if (this.#ended) return;
    try {
      await this.#beat();
      this.#fault = null;
    } catch (error) {
      this.#fault = error instanceof StoreError ? error.code : 'store_unavailable';
      this.#options.onError(error);
      if (!this.#ended) this.#schedule(RETRY_MS);
    }
  }

  /** Records that the runtime stops cleanly. One that cannot do so for a while counts as lost: never rejects. */
  async signOff(): Promise<void> {
    const { store, clock, runtimeId, onError } = this.#options;
    this.#ended = true;
    this.#cancelTimer();
    // A heartbeat after the stop would make the runtime count as lost.
    await this.#beats.idle();
    // No other runtime is told of it.
    const stopping = store.shared ? new AbortController() : null;
    const cancelTimer = stopping === null ? null : clock.after(SIGN_OFF_TIMEOUT_MS, () => stopping.abort());
    const options = { clock, onError, stopping: stopping?.signal ?? AbortSignal.abort() };
    await retryForever(options, () => store.recordStop(runtimeId, clock.nowMs()));
    cancelTimer?.();
  }
}
