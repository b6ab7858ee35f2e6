import { isObject, type Json } from '../json.ts';
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
const WORK_AT_ONCE = 1_000_000;

/** The values at the paths of a policy, to be found again in other values and inside texts. */
export class KnownValues {
  /** As they are at the paths, in order. */
  readonly #given: ReadonlySet<string>;
  readonly #values = new Set<string>();
  /** By their first characters. */
  readonly #byPrefix = new Map<string, SortedValues>();
  /** 1 at the lower bytes of the code units with which values begin: most places of a text are passed over by it. */
  readonly #firstBytes = new Uint8Array(256);
  #longest = 0;

  private constructor(given: ReadonlySet<string>) {
    this.#given = given;
    for (const text of given) {
      if (this.#values.size >= MAX_VALUES) break;
      this.#add(text);
    }
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

  /** `roots`: states and inputs in which paths begin. Returns one of `recent` if it has the same values. */
  static of(paths: readonly Path[], roots: readonly Json[], recent: Iterable<KnownValues> = []): KnownValues {
    const given = new Set<string>();
    if (paths.length > 0) for (const root of roots) collect(root, startOf(paths), given);
    for (const known of recent) if (known.#isOf(given)) return known;
    return new KnownValues(given);
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
  openAt(text: string): number {
    const work = workFor(text);
    for (let start = Math.max(0, text.length - this.#longest + 1); start < text.length; start += 1) {
      if (this.#mayBeginAt(text, start, work) || work.left < 0) return start;
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

  /** Also as JSON and URLs would have it. */
  #add(trimmed: string): void {
    for (const form of new Set([trimmed, JSON.stringify(trimmed).slice(1, -1), uriForm(trimmed)])) {
      if (form.length >= MIN_LENGTH && this.#values.size < MAX_VALUES) this.#values.add(form);
    }
  }
}

function collect(value: Json, positions: PathPositions, into: Set<string>): void {
  if (positions.length === 0) return;
  const visit = (key: string, inner: Json): void => {
    const inside = positionsInside(positions, key);
    if (inside === null) addAll(inner, into);
    else collect(inner, inside, into);
  };
  if (Array.isArray(value)) for (const [i, item] of (value as readonly Json[]).entries()) visit(String(i), item);
  else if (isObject(value)) for (const [key, inner] of Object.entries(value)) visit(key, inner);
}

function addAll(value: Json, into: Set<string>): void {
  if (typeof value === 'string') into.add(value.trim());
  else if (typeof value === 'number') into.add(String(value));
  else if (Array.isArray(value)) for (const item of value as readonly Json[]) addAll(item, into);
  else if (isObject(value)) for (const inner of Object.values(value)) addAll(inner, into);
}

function workFor(text: string): Work {
  return { left: WORK + WORK_PER_CHARACTER * text.length };
}

function uriForm(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
