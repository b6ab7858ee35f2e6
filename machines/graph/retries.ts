import { at } from './at.ts';
import { type DominatorTree, dominatorTree } from './dominators.ts';

/** Where the work before a node begins. Edges back to there do not change what dominates what. */
export class Retries {
  readonly #dominators: DominatorTree;
  readonly #backwards: readonly (readonly number[])[];
  readonly #isControl: (node: number) => boolean;

  constructor(
    size: number,
    start: number,
    edges: readonly { readonly from: number; readonly to: number }[],
    isControl: (node: number) => boolean,
  ) {
    const forwards: number[][] = Array.from({ length: size }, () => []);
    const backwards: number[][] = Array.from({ length: size }, () => []);
    for (const { from, to } of edges) {
      if (to < 0) continue;
      at(forwards, from).push(to);
      at(backwards, to).push(from);
    }
    this.#dominators = dominatorTree(size, start, forwards);
    this.#backwards = backwards;
    this.#isControl = isControl;
  }

  isReachable(node: number): boolean {
    return node === this.#dominators.root || at(this.#dominators.idom, node) !== -1;
  }

  /** Is `target` another node on every path to `node`? */
  isBefore(target: number, node: number): boolean {
    return target !== node && this.isReachable(node) && this.#dominators.dominates(target, node);
  }

  /**
   * The nearest node on every path to `node` from which work leads to it: that node's own, or that of branches between the two. Null = there
   * is none.
   */
  targetOf(node: number): number | null {
    if (!this.isReachable(node)) return null;
    for (let target = at(this.#dominators.idom, node); target !== -1; target = at(this.#dominators.idom, target))
      if (!this.#isControl(target) || this.#hasWorkBetween(target, node)) return target;
    return null;
  }

  #hasWorkBetween(target: number, node: number): boolean {
    const seen = new Set([target, node]);
    const pending = [...at(this.#backwards, node)];
    for (let between = pending.pop(); between !== undefined; between = pending.pop()) {
      if (seen.has(between) || !this.isReachable(between)) continue;
      if (!this.#isControl(between)) return true;
      seen.add(between);
      pending.push(...at(this.#backwards, between));
    }
    return false;
  }
}
