import { isObject, type Json } from '../json.ts';
import type { Span } from './detectors.ts';
import { type Path, type PathPositions, positionsInside, startOf } from './paths.ts';

/** A shorter value is replaced where its path is, but not looked for elsewhere: it would be found everywhere. */
const MIN_LENGTH = 4;
/** Of distinct values of one execution. */
const MAX_VALUES = 2_000;

/** The values at the paths of a policy, to be found again in other values and inside texts. */
export class KnownValues {
  readonly #values = new Set<string>();
  /** By their first characters, the longest first. */
  readonly #byPrefix = new Map<string, string[]>();
  #longest = 0;

  /** `roots`: states and inputs in which paths begin. */
  constructor(paths: readonly Path[], roots: readonly Json[]) {
    if (paths.length === 0) return;
    const start = startOf(paths);
    for (const root of roots) this.#collect(root, start);
    for (const value of this.#values) {
      this.#longest = Math.max(this.#longest, value.length);
      const prefix = value.slice(0, MIN_LENGTH);
      const others = this.#byPrefix.get(prefix);
      if (others === undefined) this.#byPrefix.set(prefix, [value]);
      else others.push(value);
    }
    for (const values of this.#byPrefix.values()) values.sort((a, b) => b.length - a.length);
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  has(text: string): boolean {
    return this.#values.has(text);
  }

  /** Where they are in a text; of several that begin at one place, the longest. */
  find(text: string): readonly Span[] {
    const found: Span[] = [];
    if (this.isEmpty) return found;
    for (let start = 0; start + MIN_LENGTH <= text.length; start += 1) {
      const candidates = this.#byPrefix.get(text.slice(start, start + MIN_LENGTH));
      const value = candidates?.find((candidate) => text.startsWith(candidate, start));
      if (value === undefined) continue;
      found.push({ start, end: start + value.length });
      start += value.length - 1;
    }
    return found;
  }

  /** The first place in a text from which on it may be the beginning of a value; its length = nowhere. */
  openAt(text: string): number {
    for (let start = Math.max(0, text.length - this.#longest + 1); start < text.length; start += 1) {
      const rest = text.slice(start);
      const candidates = rest.length < MIN_LENGTH ? this.#values : (this.#byPrefix.get(rest.slice(0, MIN_LENGTH)) ?? []);
      for (const value of candidates) if (value.length > rest.length && value.startsWith(rest)) return start;
    }
    return text.length;
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

function uriForm(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
