import type { AnyStateNode } from 'xstate';
import { above, below, concat, firstIn, forEachIn, get, put, type SortedMap } from '../sorted-map.ts';

/** A state value of XState: the key of a state, or what is entered inside each state. */
export type StateValue = string | { [key: string]: StateValue };

/**
 * A state of a machine. `order` is its position among all states in document order: the states inside it are those from the next position up
 * to `last`.
 */
export interface State {
  readonly node: AnyStateNode;
  readonly id: string;
  readonly order: number;
  readonly last: number;
  readonly parent: State | null;
  /** The states directly inside; none = it is a leaf. */
  readonly states: readonly State[];
  readonly isFinal: boolean;
  /** Do the tags of the state, or of one around it, say so? */
  readonly isBusy: boolean;
  readonly isParked: boolean;
}

/** The states that a machine is in, by those that have no states inside. Immutable; a change copies only what it changes. */
export class Configuration {
  readonly leaves: SortedMap<State>;
  /** Number of leaves with such a tag. */
  readonly #busy: number;
  readonly #parked: number;
  readonly #first: State | null;

  private constructor(leaves: SortedMap<State>, first: State | null, busy: number, parked: number) {
    this.leaves = leaves;
    this.#first = first;
    this.#busy = busy;
    this.#parked = parked;
  }

  /** Of a machine that has not begun. */
  static readonly none = new Configuration(null, null, 0, 0);

  /** `leaves`: at least one. */
  static of(leaves: readonly State[]): Configuration {
    const [first] = leaves;
    if (first === undefined) throw new TypeError('a machine that has begun is in at least one state');
    let map: SortedMap<State> = null;
    for (const leaf of leaves) map = put(map, leaf.order, leaf);
    return new Configuration(map, first, count(leaves, isBusy), count(leaves, isParked));
  }

  /** The configuration without the leaves inside `domain`, which are `left`, and with `entered`. */
  moved(domain: State, left: readonly State[], entered: readonly State[]): Configuration {
    const [first] = entered;
    if (first === undefined) return this;
    if (left.length === entered.length && left.every((leaf, i) => leaf === entered[i])) return this;
    if (domain.parent === null) return Configuration.of(entered);
    let leaves = concat(below(this.leaves, domain.order), above(this.leaves, domain.last));
    for (const leaf of entered) leaves = put(leaves, leaf.order, leaf);
    const busy = this.#busy - count(left, isBusy) + count(entered, isBusy);
    const parked = this.#parked - count(left, isParked) + count(entered, isParked);
    return new Configuration(leaves, first, busy, parked);
  }

  has(state: State): boolean {
    if (state.states.length === 0) return get(this.leaves, state.order) !== undefined;
    return firstIn(this.leaves, state.order, state.last) !== undefined;
  }

  /** The leaves inside a state, in document order. */
  leavesIn({ order, last }: State): State[] {
    const inside: State[] = [];
    forEachIn(this.leaves, order, last, (leaf) => inside.push(leaf));
    return inside;
  }

  /** All leaves in document order. */
  all(): State[] {
    const all: State[] = [];
    forEachIn(this.leaves, 0, Number.POSITIVE_INFINITY, (leaf) => all.push(leaf));
    return all;
  }

  get hasBegun(): boolean {
    return this.#first !== null;
  }

  /** The final state that the machine has ended in; null = it has not ended. */
  get end(): State | null {
    return this.#first?.isFinal === true ? this.#first : null;
  }

  get isBusy(): boolean {
    return this.#busy > 0;
  }

  get isParked(): boolean {
    return this.#parked > 0;
  }

  get value(): StateValue {
    let root = this.#first;
    while (root !== null && root.parent !== null) root = root.parent;
    return root === null ? {} : this.#valueOf(root);
  }

  #valueOf(state: State): StateValue {
    const inside = state.states.filter((child) => this.has(child));
    const [only] = inside;
    if (only !== undefined && state.node.type === 'compound' && only.states.length === 0) return only.node.key;
    return Object.fromEntries(inside.map((child) => [child.node.key, this.#valueOf(child)]));
  }
}

const isBusy = (state: State): boolean => state.isBusy;
const isParked = (state: State): boolean => state.isParked;

function count(states: readonly State[], is: (state: State) => boolean): number {
  let counted = 0;
  for (const state of states) if (is(state)) counted += 1;
  return counted;
}

/** The ids of the leaves, in document order. */
export function positionsOf(configuration: Configuration): string[] {
  return configuration.all().map(({ id }) => id);
}
