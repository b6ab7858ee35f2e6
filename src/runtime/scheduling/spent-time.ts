/** After so long, what a key has computed counts half. */
const HALF_LIFE_MS = 100;
/** What counts less is forgotten. */
const FORGOTTEN_MS = 0.5;

/** How long keys have computed lately, compared with each other. */
export class SpentTime {
  readonly #ms = new Map<string, number>();
  #allMs = 0;
  #halvedMs = 0;

  /** The number of keys that compute. */
  get keys(): number {
    return this.#ms.size;
  }

  add(key: string, ms: number): void {
    this.#ms.set(key, this.#of(key) + ms);
    this.#allMs += ms;
  }

  /** Has the key computed for less than the mean of the keys that compute? */
  isLight(key: string): boolean {
    return this.#of(key) * this.#ms.size < this.#allMs;
  }

  /** Has the key computed for more than three times the mean of the others? */
  isHeavy(key: string): boolean {
    const ownMs = this.#of(key);
    return ownMs * (this.#ms.size - 1) > 3 * (this.#allMs - ownMs);
  }

  /** Call often: `nowMs` may be set back. */
  decay(nowMs: number): void {
    const passedMs = nowMs - this.#halvedMs;
    if (passedMs >= 0 && passedMs < HALF_LIFE_MS) return;
    this.#halvedMs = nowMs;
    this.#allMs = 0;
    for (const [key, ms] of this.#ms) {
      if (ms < 2 * FORGOTTEN_MS) this.#ms.delete(key);
      else {
        this.#ms.set(key, ms / 2);
        this.#allMs += ms / 2;
      }
    }
  }

  #of(key: string): number {
    return this.#ms.get(key) ?? 0;
  }
}
