/** Planning took more work than a machine's readability is worth. */
export class CompileBudgetExceeded extends Error {}

/** Looks at nodes that planning may cost in all: bounds its time for graphs made to be hard. */
const MAX_NODE_VISITS = 20_000_000;

export class CompileBudget {
  #left = MAX_NODE_VISITS;

  /** Throws `EffortSpent` when there is none left. */
  spend(nodeVisits: number): void {
    this.#left -= nodeVisits;
    if (this.#left < 0) throw new CompileBudgetExceeded();
  }
}
