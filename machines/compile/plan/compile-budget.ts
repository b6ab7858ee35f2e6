/** Planning forks costs too much; the workflow is compiled as one subgraph instead. */
export class CompileBudgetExceeded extends Error {}

/** Node visits of planning, at most: bounds the time for adversarial graphs. */
const MAX_NODE_VISITS = 20_000_000;

export class CompileBudget {
  #left = MAX_NODE_VISITS;

  /** Throws `CompileBudgetExceeded` when the budget is used up. */
  spend(nodeVisits: number): void {
    this.#left -= nodeVisits;
    if (this.#left < 0) throw new CompileBudgetExceeded();
  }
}
