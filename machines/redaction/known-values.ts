import { type Cooperative, runToEnd } from '../cooperative.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Finder } from './detectors.ts';
import { type Path, type PathPositions, positionsInside, startOf } from './paths.ts';
import { SortedValues, type Work } from './sorted-values.ts';

/** A shorter value is replaced where its path is, but not looked for elsewhere: it would be found everywhere. */
const MIN_LENGTH = 4;
/** Of distinct values of one execution. */
const MAX_VALUES = 2_000;
/** Characters that are compared for one text, at most: so many, and so many for each of its characters. */
const WORK = 1_000_000;
const WORK_PER_CHARACTER = 64;
/** Characters that are compared in one window. */
const WORK_AT_ONCE = 250_000;
/** Values that are looked at before other work may go on, and characters of those that are added. */
const VISITED_AT_ONCE = 256;
const ADDED_AT_ONCE = 4_096;
const ENCODED_AT_ONCE = 2_048;

/** The values at the paths in a state or an input, in order, up to as many as are looked for. */
export interface GivenValues {
  readonly given: ReadonlySet<string>;
  /** Also as JSON and URLs would have them. */
  readonly forms: ReadonlySet<string>;
}

export const NO_VALUES: GivenValues = { given: new Set(), forms: new Set() };

export function* valuesAt(paths: readonly Path[], root: Json): Cooperative<GivenValues> {
  if (paths.length === 0 || typeof root !== 'object' || root === null) return NO_VALUES;
  const given = new Set<string>();
  const forms = new Set<string>();
  let [visited, added] = [0, 0];
  for (const text of textsAt(root, startOf(paths))) {
    if (text !== null && !given.has(text)) {
      if (text.length > ADDED_AT_ONCE) yield;
      given.add(text);
      for (const form of [text, JSON.stringify(text).slice(1, -1), yield* uriForm(text)])
        if (form.length >= MIN_LENGTH && forms.size < MAX_VALUES) forms.add(form);
      added += text.length;
    }
    if (forms.size >= MAX_VALUES) break;
    visited += 1;
    if (visited < VISITED_AT_ONCE && added < ADDED_AT_ONCE) continue;
    [visited, added] = [0, 0];
    yield;
  }
  return given.size === 0 ? NO_VALUES : { given, forms };
}

/** The values at the paths of a policy, to be found again in other values and inside texts. */
export class KnownValues {
  /** As they are at the paths, in order, as far as they are looked for. */
  readonly #given: ReadonlySet<string>;
  readonly #values: ReadonlySet<string>;
  /** By their first characters. */
  readonly #byPrefix = new Map<string, SortedValues>();
  /** 1 at the lower bytes of the code units with which values begin: most places of a text are passed over by it. */
  readonly #firstBytes = new Uint8Array(256);
  #longest = 0;

  /** `values`: the given ones in all their forms. */
  private constructor(given: ReadonlySet<string>, values: ReadonlySet<string>) {
    this.#given = given;
    this.#values = values;
    const byPrefix = new Map<string, string[]>();
    for (const value of this.#values) {
      this.#longest = Math.max(this.#longest, value.length);
      this.#firstBytes[value.charCodeAt(0) & 0xff] = 1;
      const prefix = value.slice(0, MIN_LENGTH);
      const others = byPrefix.get(prefix);
      if (others === undefined) byPrefix.set(prefix, [value]);
      else others.push(value);
    }
    for (const [prefix, values] of byPrefix) this.#byPrefix.set(prefix, new SortedValues(values));
  }

  /** `roots`: states and inputs in which paths begin. */
  static of(paths: readonly Path[], roots: readonly Json[]): KnownValues {
    return KnownValues.from(roots.map((root) => runToEnd(valuesAt(paths, root))));
  }

  /** Returns one of `recent` if it has the same values. */
  static from(roots: readonly GivenValues[], recent: Iterable<KnownValues> = []): KnownValues {
    const given = new Set<string>();
    const values = new Set<string>();
    for (const root of roots) {
      if (values.size >= MAX_VALUES) break;
      for (const text of root.given) given.add(text);
      for (const form of root.forms) if (values.size < MAX_VALUES) values.add(form);
    }
    for (const known of recent) if (known.#isOf(given)) return known;
    return new KnownValues(given, values);
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  has(text: string): boolean {
    return this.#values.has(text);
  }

  /**
   * Finds where they are in the text; of several that begin at one place, the longest. A text that resembles the values so much that the
   * search would take long counts as one of them from there on. For one text: it counts the work.
   */
  finder(text: string): Finder {
    const work = workFor(text);
    return (_text, from, until, found) => {
      const pause = work.left - WORK_AT_ONCE;
      let start = from;
      for (; start < until && start + MIN_LENGTH <= text.length; start += 1) {
        if (work.left < pause) return start;
        if (this.#firstBytes[text.charCodeAt(start) & 0xff] === 0) continue;
        const value = this.#byPrefix.get(text.slice(start, start + MIN_LENGTH))?.longestAt(text, start, work);
        if (work.left < 0) {
          found.push({ start, end: text.length });
          return text.length;
        }
        if (value === undefined) continue;
        found.push({ start, end: start + value.length });
        start += value.length - 1;
      }
      return Math.max(start, until);
    };
  }

  /** The first place in a text from which on it may be the beginning of a value; its length = nowhere. */
  *openAt(text: string): Cooperative<number> {
    const work = workFor(text);
    let pause = work.left - WORK_AT_ONCE;
    for (let start = Math.max(0, text.length - this.#longest + 1); start < text.length; start += 1) {
      if (this.#mayBeginAt(text, start, work) || work.left < 0) return start;
      work.left -= 1;
      if (work.left >= pause) continue;
      pause = work.left - WORK_AT_ONCE;
      yield;
    }
    return text.length;
  }

  #mayBeginAt(text: string, start: number, work: Work): boolean {
    if (text.length - start >= MIN_LENGTH) {
      return this.#byPrefix.get(text.slice(start, start + MIN_LENGTH))?.goesOnFrom(text, start, work) ?? false;
    }
    const rest = text.slice(start);
    return [...this.#byPrefix.keys()].some((prefix) => prefix.startsWith(rest));
  }

  #isOf(given: ReadonlySet<string>): boolean {
    if (given.size !== this.#given.size) return false;
    const own = this.#given.values();
    for (const text of given) if (own.next().value !== text) return false;
    return true;
  }
}

/** The texts at paths that begin in a value, in order. Null = another value, on the way. */
function* textsAt(value: Json, positions: PathPositions): Generator<string | null, undefined> {
  if (positions.length === 0 || typeof value !== 'object' || value === null) return;
  for (const key in value) {
    const part = (value as JsonObject)[key] ?? null;
    const inside = positionsInside(positions, key);
    yield null;
    if (inside === null) yield* textsIn(part);
    else yield* textsAt(part, inside);
  }
}

function* textsIn(value: Json): Generator<string | null, undefined> {
  if (typeof value === 'string') yield value.trim();
  else if (typeof value === 'number') yield String(value);
  else if (Array.isArray(value)) for (const item of value as readonly Json[]) yield* textsIn(item);
  else if (isObject(value)) for (const inner of Object.values(value)) yield* textsIn(inner);
  else yield null;
}

function workFor(text: string): Work {
  return { left: WORK + WORK_PER_CHARACTER * text.length };
}

/** Percent-encoded, in parts: the code units of a pair belong together. */
function* uriForm(text: string): Cooperative<string> {
  let form = '';
  for (let at = 0; at < text.length; ) {
    let end = at + ENCODED_AT_ONCE;
    if (isHighSurrogate(text.charCodeAt(end - 1))) end += 1;
    form += encodeURIComponent(text.slice(at, end).toWellFormed());
    at = end;
    if (at < text.length) yield;
  }
  return form;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
