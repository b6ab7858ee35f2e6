import type { TakenTransition } from '../replay/index.ts';

/** How often an execution's machine has taken the transitions between its states, by the ids of source and target. */
export type TransitionCounts = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Counts transitions as they are taken. */
export class TransitionTally {
  readonly #counts = new Map<string, Map<string, number>>();

  get counts(): TransitionCounts {
    return this.#counts;
  }

  add(taken: readonly TakenTransition[]): void {
    for (const { source, target } of taken) {
      const targets = this.#counts.get(source) ?? new Map<string, number>();
      this.#counts.set(source, targets.set(target, (targets.get(target) ?? 0) + 1));
    }
  }
}
