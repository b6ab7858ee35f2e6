import { type Cooperative, runToEnd } from '../cooperative.ts';
import type { Json } from '../json.ts';

/** What a result was computed from. Where it is no text, parts that are the same object are not compared any further. */
type Input = Json | readonly Json[];

/** An owner is one way to compute results, such as a redactor: the same value always has the same result. */
interface Result {
  readonly owner: object;
  readonly value: Input;
  readonly result: unknown;
  readonly units: number;
}

/** Pauses of computations that are carried out at once: some milliseconds. */
const AT_ONCE = 128;
/** What a pause stands for, in code units. */
const UNITS_PER_PAUSE = 256;
/** Of values and their results, in all. */
const MAX_KEPT_UNITS = 16 * 1024 * 1024;
/** Values of one owner that are no texts. */
const MAX_KEPT_VALUES = 64;

/**
 * The results that a computation lacks because they take long, such as redacted texts. It cannot wait for them: it is carried out, gets something else
 * in their place, and is carried out again when they have been computed in slices, from the beginning. A result is dropped unless `isEmpty`.
 */
export class ColdResults {
  readonly #missing: { readonly owner: object; readonly value: Input; readonly computation: Cooperative<unknown> }[] = [];
  readonly #results = new Results();
  readonly #recalled = new Map<object, unknown[]>();
  #left = AT_ONCE;
  #isStalled = false;

  get isEmpty(): boolean {
    return this.#missing.length === 0;
  }

  /** Carries out a computation that has no effects. */
  collect<T>(compute: () => T): T {
    const before = collecting;
    collecting = this;
    this.#missing.length = 0;
    this.#left = AT_ONCE;
    this.#isStalled = false;
    try {
      return compute();
    } finally {
      collecting = before;
    }
  }

  /** Computes what was missing. */
  *compute(): Cooperative<void> {
    for (const { owner, value, computation } of this.#missing) {
      let pauses = 1;
      let step = computation.next();
      for (; step.done !== true; step = computation.next()) {
        pauses += 1;
        yield;
      }
      const units = pauses * UNITS_PER_PAUSE;
      const result = { owner, value, result: step.value, units };
      this.#results.add(result);
      keep(result);
      yield;
    }
  }

  resultOf<T>(owner: object, value: Input, computation: Cooperative<T>, standIn: T, decidesMore: boolean): T {
    if (this.#isStalled) return standIn;
    // Most values are small. One that is not is looked for before more is done.
    const soon = this.#advance(computation, 1);
    if (soon !== null) return soon.value;
    const known = this.#results.of(owner, value) ?? kept(owner, value);
    if (known !== undefined) return known.result as T;
    const late = this.#advance(computation, AT_ONCE);
    if (late !== null) return late.value;
    this.#isStalled = decidesMore;
    this.#missing.push({ owner, value, computation });
    return standIn;
  }

  recalled(owner: object): unknown[] {
    const before = this.#recalled.get(owner);
    if (before !== undefined) return before;
    const none: unknown[] = [];
    this.#recalled.set(owner, none);
    return none;
  }

  /** Null = it is not done after as many pauses, or no time is left. */
  #advance<T>(computation: Cooperative<T>, most: number): { readonly value: T } | null {
    for (let pauses = 0; pauses < most; pauses += 1) {
      const { done, value } = computation.next();
      if (done === true) return { value };
      this.#left -= 1;
      if (this.#left <= 0) return null;
    }
    return null;
  }
}

/** What the computation that is being carried out lacks. */
let collecting: ColdResults | null = null;

/**
 * The result of a computation. While results are collected, a long one that was not computed before is missing: then `standIn` is returned.
 * `decidesMore`: what else is missing depends on it.
 */
export function resultOf<T>(owner: object, value: Input, computation: Cooperative<T>, standIn: T, decidesMore = false): T {
  if (collecting !== null) return collecting.resultOf(owner, value, computation, standIn, decidesMore);
  const soon = computation.next();
  if (soon.done === true) return soon.value;
  const known = kept(owner, value);
  return known === undefined ? runToEnd(computation) : (known.result as T);
}

/** Will the results of what is being carried out be dropped? */
export function isDropped(): boolean {
  return collecting !== null && !collecting.isEmpty;
}

/** What the computation that is being carried out has noted for itself when it was carried out before; it may add to that. */
export function recalled<T>(owner: object): T[] {
  return (collecting?.recalled(owner) ?? []) as T[];
}

/** The result for a text, which is kept. */
export function* keptText(owner: object, text: string, compute: () => Cooperative<string>): Cooperative<string> {
  const known = kept(owner, text);
  if (known !== undefined) return known.result as string;
  const result = yield* compute();
  keep({ owner, value: text, result, units: text.length + (result === text ? 0 : result.length) });
  return result;
}

/** Results by owner and value. */
class Results {
  readonly #texts = new WeakMap<object, Map<string, Result>>();
  readonly #values = new WeakMap<object, Result[]>();

  of(owner: object, value: Input): Result | undefined {
    if (typeof value === 'string') return this.#texts.get(owner)?.get(value);
    return this.#values.get(owner)?.find((result) => sameValue(result.value, value));
  }

  add(result: Result): void {
    const { owner, value } = result;
    if (typeof value !== 'string') this.#values.set(owner, [result, ...(this.#values.get(owner) ?? [])]);
    else this.#texts.set(owner, (this.#texts.get(owner) ?? new Map<string, Result>()).set(value, result));
  }

  delete(result: Result): void {
    const { owner, value } = result;
    if (typeof value === 'string') this.#texts.get(owner)?.delete(value);
    else this.#values.set(owner, this.#values.get(owner)?.filter((other) => other !== result) ?? []);
  }

  /** The one of an owner's values, which are no texts, that was added first, if there are more. */
  beyond(owner: object, most: number): Result | undefined {
    return this.#values.get(owner)?.[most];
  }
}

function sameValue(a: Input | undefined, b: Input | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item as Json, b[i] as Json));
  if (Array.isArray(b)) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return (
    keys.length === others.length && keys.every((key, i) => key === others[i] && sameValue((a as never)[key], (b as never)[key]))
  );
}

// The state has the same texts and values in step after step, and so have those who read it.

const results = new Results();
/** Those used last are at the end. */
const byUse = new Set<Result>();
let keptUnits = 0;

function kept(owner: object, value: Input): Result | undefined {
  const result = results.of(owner, value);
  if (result !== undefined && byUse.delete(result)) byUse.add(result);
  return result;
}

function keep(result: Result): void {
  if (results.of(result.owner, result.value) !== undefined) return;
  results.add(result);
  byUse.add(result);
  keptUnits += result.units;
  const beyond = results.beyond(result.owner, MAX_KEPT_VALUES);
  if (beyond !== undefined) drop(beyond);
  for (const oldest of byUse) {
    if (keptUnits <= MAX_KEPT_UNITS) break;
    drop(oldest);
  }
}

function drop(result: Result): void {
  results.delete(result);
  byUse.delete(result);
  keptUnits -= result.units;
}
