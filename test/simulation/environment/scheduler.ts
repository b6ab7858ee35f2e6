import { setImmediate } from 'node:timers/promises';
import { hash32 } from '../../../machines/hash.ts';
import type { Random } from '../../support/random.ts';
import { randomStream } from './random-streams.ts';
import type { Trace } from './trace.ts';

/** Owner of an entry: entries of a dead owner are dropped, entries of a frozen owner are deferred. */
export interface Owner {
  readonly alive: boolean;
  /** Simulated time until which the owner is frozen. */
  readonly frozenUntilMs: number;
}

interface Entry {
  atMs: number;
  /** Orders entries with the same time. */
  readonly tie: number;
  readonly order: number;
  readonly owner: Owner | null;
  readonly label: string;
  run: (() => void) | null;
  /** Its owner was frozen when it was due. */
  deferred: boolean;
}

/** Number of idle turns of Node's event loop before the time advances. */
const IDLE_TURNS = 1;
/** Probability of a turn between two entries with the same time. */
const TURN_PROBABILITY = 0.4;

/**
 * The only source of events: requests, replies, timers and faults are entries of one queue in simulated time. Between two entries all
 * promises settle. `setImmediate` callbacks of the runtime run when the scheduler lets Node's event loop turn; the seed decides how
 * many entries come before. Nothing waits for real time or input, so a run is a function of its seed.
 */
export class Scheduler {
  readonly #seed: number;
  readonly #random: Random;
  readonly #trace: Trace;
  /** A binary heap, earliest first. */
  readonly #heap: Entry[] = [];
  #nowMs: number;
  #scheduled = 0;
  #onError: (error: unknown) => void = () => {};

  constructor(seed: number, trace: Trace, startMs: number) {
    this.#seed = seed;
    this.#random = randomStream(seed, 'turns');
    this.#trace = trace;
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Called with errors that callbacks throw; in a real process they would be uncaught. */
  onError(fault: (error: unknown) => void): void {
    this.#onError = fault;
  }

  /** Calls `run` once after `delayMs`; the returned function cancels it. */
  schedule(delayMs: number, owner: Owner | null, label: string, run: () => void): () => void {
    const entry: Entry = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      tie: tieOf(this.#seed, label),
      order: ++this.#scheduled,
      owner,
      label,
      run,
      deferred: false,
    };
    this.#push(entry);
    return () => {
      entry.run = null;
    };
  }

  /** Reschedules the deferred entries of an owner whose freeze was shortened. */
  rescheduleDeferred(owner: Owner): void {
    for (const entry of this.#heap.splice(0)) {
      if (entry.deferred && entry.owner === owner) entry.atMs = Math.min(entry.atMs, owner.frozenUntilMs);
      this.#push(entry);
    }
  }

  /** Runs until `done` returns true, or the queue is empty. Returns whether `done` is true. */
  async runUntil(done: () => boolean, maxEntries: number): Promise<boolean> {
    for (let entries = 0; entries < maxEntries; entries += 1) {
      await promisesSettled();
      if (done()) return true;
      const next = await this.#next();
      if (next === null) return done();
      this.#execute(next);
    }
    return false;
  }

  async #next(): Promise<Entry | null> {
    if (this.#random.chance(TURN_PROBABILITY)) await this.#turn();
    for (let quiet = 0; ; ) {
      this.#dropCancelled();
      const next = this.#heap[0];
      if (next !== undefined && next.atMs <= this.#nowMs) return this.#pop();
      if (quiet === IDLE_TURNS) break;
      const before = this.#scheduled;
      await this.#turn();
      quiet = this.#scheduled === before ? quiet + 1 : 0;
    }
    const next = this.#pop();
    if (next !== null) this.#nowMs = Math.max(this.#nowMs, next.atMs);
    return next;
  }

  async #turn(): Promise<void> {
    await setImmediate();
    await promisesSettled();
  }

  #execute(entry: Entry): void {
    const { owner, run } = entry;
    if (run === null || owner?.alive === false) return;
    if (owner !== null && owner.frozenUntilMs > this.#nowMs) {
      entry.atMs = owner.frozenUntilMs;
      entry.deferred = true;
      this.#push(entry);
      return;
    }
    this.#trace.add(`${this.#nowMs} ${entry.label}`);
    entry.run = null;
    try {
      run();
    } catch (error) {
      this.#onError(error);
    }
  }

  #dropCancelled(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.run !== null && first.owner?.alive !== false) return;
      this.#pop();
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      heap[at] = above;
      heap[parent] = entry;
      at = parent;
    }
  }

  #pop(): Entry | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (first === last) return first;
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const [one, two] = [heap[left], heap[left + 1]];
      if (one === undefined) break;
      const child = two !== undefined && isBefore(two, one) ? left + 1 : left;
      const below = heap[child] as Entry;
      if (isBefore(last, below)) break;
      heap[at] = below;
      heap[child] = last;
      at = child;
    }
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.tie !== b.tie ? a.tie < b.tie : a.order < b.order;
}

/** Depends only on the label, so that other entries do not change the order of two entries. */
function tieOf(seed: number, label: string): number {
  return hash32(`${seed} ${label}`);
}

/** Resolves when all promises that can settle have settled: Node runs the tick queue once the microtask queue is empty. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
