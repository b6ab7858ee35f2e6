/** Planning took more work than a machine's readability is worth. */
export class EffortSpent extends Error {}

/** Looks at nodes that planning may cost in all: bounds its time for graphs made to be hard. */
const MAX_LOOKS = 20_000_000;

export class Effort {
  #left = MAX_LOOKS;

  /** Throws `EffortSpent` when there is none left. */
  spend(looks: number): void {
    this.#left -= looks;
    if (this.#left < 0) throw new EffortSpent();
  }
}
