import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../runtime/clock.ts';

const PULSE_MS = 15_000;
/** Then others have their turn: a few milliseconds. */
const BEATS_AT_ONCE = 50;

/** One timer for everybody who has something small to do now and then; none while there is nobody. */
export class Pulse {
  readonly #clock: Clock;
  readonly #beats = new Set<() => void>();
  #callOff: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `beat` every 15 seconds; answers how to stop that. It must not throw. */
  each(beat: () => void): () => void {
    this.#beats.add(beat);
    this.#callOff ??= this.#clock.after(PULSE_MS, this.#tick);
    return () => {
      this.#beats.delete(beat);
      if (this.#beats.size === 0) this.stop();
    };
  }

  stop(): void {
    this.#callOff?.();
    this.#callOff = null;
  }

  readonly #tick = (): void => {
    this.#callOff = this.#clock.after(PULSE_MS, this.#tick);
    void this.#beat([...this.#beats]);
  };

  async #beat(beats: readonly (() => void)[]): Promise<void> {
    for (const [i, beat] of beats.entries()) {
      if (i % BEATS_AT_ONCE === BEATS_AT_ONCE - 1) await setImmediate();
      if (this.#beats.has(beat)) beat();
    }
  }
}
