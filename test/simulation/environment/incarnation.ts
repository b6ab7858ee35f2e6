import type { Owner } from './scheduler.ts';

/** One lifetime of a runtime process, from start to crash or stop. */
export class Incarnation implements Owner {
  /** `rt0.2`: the second incarnation of process 0. */
  readonly id: string;
  readonly processIndex: number;
  alive = true;
  frozenUntilMs = 0;
  readonly #onCrash: (downMs: number) => void;
  readonly #onEnd: (() => void)[] = [];

  constructor(processIndex: number, life: number, crashed: (downMs: number) => void) {
    this.id = `rt${processIndex}.${life}`;
    this.processIndex = processIndex;
    this.#onCrash = crashed;
  }

  /** Ends the process immediately, with its memory; it starts again after `downMs`. */
  crash(downMs: number): void {
    if (!this.alive) return;
    this.end();
    this.#onCrash(downMs);
  }

  /** Ends the process; its connections break. */
  end(): void {
    this.alive = false;
    for (const ended of this.#onEnd.splice(0)) ended();
  }

  /** Calls back when the process ends; immediately if it has ended. */
  onEnd(ended: () => void): void {
    if (this.alive) this.#onEnd.push(ended);
    else ended();
  }
}
