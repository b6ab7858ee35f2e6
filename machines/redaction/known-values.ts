import { isObject, type Json } from '../json.ts';
import type { Span } from './detectors.ts';
import { type Path, type PathPositions, positionsInside, startOf } from './paths.ts';
import { SortedValues, type Work } from './sorted-values.ts';

/** A shorter value is replaced where its path is, but not looked for elsewhere: it would be found everywhere. */
const MIN_LENGTH = 4;
/** Of distinct values of one execution. */
const MAX_VALUES = 2_000;
/** Characters that are compared for one text, at most: so many, and so many for each of its characters. */
const WORK = 1_000_000;
const WORK_PER_CHARACTER = 64;

/** The values at the paths of a policy, to be found again in other values and inside texts. */
export class KnownValues {
  readonly #values = new Set<string>();
  /** By their first characters. */
  readonly #byPrefix = new Map<string, SortedValues>();
  #longest = 0;

  /** `roots`: states and inputs in which paths begin. */
  constructor(paths: readonly Path[], roots: readonly Json[]) {
    if (paths.length === 0) return;
    const start = startOf(paths);
    for (const root of roots) this.#collect(root, start);
    const byPrefix = new Map<string, string[]>();
    for (const value of this.#values) {
      this.#longest = Math.max(this.#longest, value.length);
      const prefix = value.slice(0, MIN_LENGTH);
      const others = byPrefix.get(prefix);
      if (others === undefined) byPrefix.set(prefix, [value]);
      else others.push(value);
    }
    for (const [prefix, values] of byPrefix) this.#byPrefix.set(prefix, new SortedValues(values));
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  has(text: string): boolean {
    return this.#values.has(text);
  }

  /**
   * Where they are in a text; of several that begin at one place, the longest. A text that resembles the values so much that the search
   * would take long counts as one of them from there on.
   */
  find(text: string): readonly Span[] {
    const found: Span[] = [];
    if (this.isEmpty) return found;
    const work = workFor(text);
    for (let start = 0; start + MIN_LENGTH <= text.length; start += 1) {
      const value = this.#byPrefix.get(text.slice(start, start + MIN_LENGTH))?.longestAt(text, start, work);
      if (work.left < 0) return [...found, { start, end: text.length }];
      if (value === undefined) continue;
      found.push({ start, end: start + value.length });
      start += value.length - 1;
    }
    return found;
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

  #collect(value: Json, positions: PathPositions): void {
    if (positions.length === 0) return;
    const visit = (key: string, inner: Json): void => {
      const inside = positionsInside(positions, key);
      if (inside === null) this.#addAll(inner);
      else this.#collect(inner, inside);
    };
    if (Array.isArray(value)) for (const [i, item] of (value as readonly Json[]).entries()) visit(String(i), item);
    else if (isObject(value)) for (const [key, inner] of Object.entries(value)) visit(key, inner);
  }

  #addAll(value: Json): void {
    if (typeof value === 'string') this.#add(value);
    else if (typeof value === 'number') this.#add(String(value));
    else if (Array.isArray(value)) for (const item of value as readonly Json[]) this.#addAll(item);
    else if (isObject(value)) for (const inner of Object.values(value)) this.#addAll(inner);
  }

  /** Also as JSON and URLs would have it. */
  #add(text: string): void {
    const trimmed = text.trim();
    for (const form of new Set([trimmed, JSON.stringify(trimmed).slice(1, -1), uriForm(trimmed)])) {
      if (form.length >= MIN_LENGTH && this.#values.size < MAX_VALUES) this.#values.add(form);
    }
  }
}

function workFor(text: string): Work {
  return { left: WORK + WORK_PER_CHARACTER * text.length };
}

function uriForm(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
