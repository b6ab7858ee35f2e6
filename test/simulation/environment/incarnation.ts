import type { Owner } from './scheduler.ts';

/** One life of a runtime process. */
export class Incarnation implements Owner {
  /** `rt0.2`: the second life of the process at place 0. */
  readonly id: string;
  readonly processIndex: number;
  alive = true;
  frozenUntilMs = 0;
  readonly #onCrash: (downMs: number) => void;
  readonly #onEnd: (() => void)[] = [];

  constructor(place: number, life: number, crashed: (downMs: number) => void) {
    this.id = `rt${place}.${life}`;
    this.processIndex = place;
    this.#onCrash = crashed;
  }

  /** It is gone at once, with all that it had in memory; another life begins after `downMs`. */
  crash(downMs: number): void {
    if (!this.alive) return;
    this.end();
    this.#onCrash(downMs);
  }

  /** It does nothing any more; its connections break. */
  end(): void {
    this.alive = false;
    for (const ended of this.#onEnd.splice(0)) ended();
  }

  /** Calls back when it ends; at once if it has. */
  onEnd(ended: () => void): void {
    if (this.alive) this.#onEnd.push(ended);
    else ended();
  }
}
