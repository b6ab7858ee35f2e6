import type { Cooperative } from '../cooperative.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { redactedBefore } from './cold-texts.ts';
import { type DetectorName, detectsNumber, type Finder, findersOf, type Span } from './detectors.ts';
import type { KnownValues } from './known-values.ts';
import { type Path, type PathPositions, positionsInside, startOf } from './paths.ts';
import { MASK, type RedactionMode, replacementOf } from './replacement.ts';
import { spansIn, spansInWindows } from './spans.ts';

/** What is replaced, and by what. */
export interface RedactionRules {
  readonly paths: readonly Path[];
  readonly detectors: readonly DetectorName[];
  readonly mode: RedactionMode;
}

const NOWHERE: PathPositions = [];
/** Spans that are replaced before other work may go on: a hash takes some microseconds. */
const REPLACED_AT_ONCE = 128;

/** Replaces personal data. Values in which there is none come back as the same object. */
export class Redactor {
  readonly rules: RedactionRules;
  readonly known: KnownValues;
  readonly #start: PathPositions;
  readonly #detectors: readonly Finder[];

  /** `known`: the values of states and inputs that are replaced wherever they reappear. */
  constructor(rules: RedactionRules, known: KnownValues) {
    this.rules = rules;
    this.known = known;
    this.#start = startOf(rules.paths);
    this.#detectors = findersOf(rules.detectors);
  }

  /** A value in which the paths begin, such as a state, an input or an output. */
  root(value: Json): Json {
    return this.#value(value, this.#start);
  }

  /** Any other value: what is in it is recognised by detectors, and by having been at a path. */
  json(value: Json): Json {
    return this.#value(value, NOWHERE);
  }

  /** A long text that was redacted in windows before comes from memory. While cold texts are collected, others may be masked as a whole. */
  text(text: string): string {
    const redacted = redactedBefore(this, text);
    if (redacted !== undefined) return redacted ?? MASK;
    const { mode } = this.rules;
    if (this.known.has(text)) return replacementOf(text, mode);
    const spans = this.spansIn(text);
    return spans.length === 0 ? text : this.#replaced(text, spans, 0, spans.length) + text.slice(spans.at(-1)?.end);
  }

  /** The same, in parts of a millisecond or so. */
  *textInWindows(text: string): Cooperative<string> {
    if (this.known.has(text)) return replacementOf(text, this.rules.mode);
    const spans = yield* this.spansInWindows(text);
    return spans.length === 0 ? text : yield* this.replacedInWindows(text, spans, text.length);
  }

  /** The text up to a place, with those spans replaced that end there or before. */
  *replacedInWindows(text: string, spans: readonly Span[], until: number): Cooperative<string> {
    const behind = spans.findIndex(({ end }) => end > until);
    const count = behind < 0 ? spans.length : behind;
    const parts: string[] = [];
    for (let at = 0; at < count; at += REPLACED_AT_ONCE) {
      parts.push(this.#replaced(text, spans, at, Math.min(at + REPLACED_AT_ONCE, count)));
      yield;
    }
    parts.push(text.slice(spans[count - 1]?.end ?? 0, until));
    return parts.join('');
  }

  /** The parts that are replaced, in order and without overlaps. */
  spansIn(text: string): readonly Span[] {
    return spansIn(text, this.#findersFor(text));
  }

  /** The same, in parts of a millisecond or so. */
  spansInWindows(text: string): Cooperative<readonly Span[]> {
    return spansInWindows(text, this.#findersFor(text));
  }

  #findersFor(text: string): readonly Finder[] {
    return this.known.isEmpty ? this.#detectors : [...this.#detectors, this.known.finder(text)];
  }

  /** The text from the end of the span before `from` to that of the span before `until`. */
  #replaced(text: string, spans: readonly Span[], from: number, until: number): string {
    let redacted = '';
    let at = spans[from - 1]?.end ?? 0;
    for (let i = from; i < until; i += 1) {
      const { start, end } = spans[i] as Span;
      redacted += text.slice(at, start) + replacementOf(text.slice(start, end), this.rules.mode);
      at = end;
    }
    return redacted;
  }

  /** Null = the key or item is dropped. */
  whole(value: Json): Json {
    return value === null ? null : replacementOf(value, this.rules.mode);
  }

  #value(value: Json, positions: PathPositions): Json {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') return this.#isNumberOf(value) ? this.whole(value) : value;
    if (Array.isArray(value)) return this.#list(value, positions);
    return isObject(value) ? this.#object(value, positions) : value;
  }

  #isNumberOf(value: number): boolean {
    return detectsNumber(value, this.rules.detectors) || this.known.has(String(value));
  }

  #list(list: readonly Json[], positions: PathPositions): Json {
    const items: Json[] = [];
    let isChanged = false;
    for (const [i, item] of list.entries()) {
      const inside = positionsInside(positions, String(i));
      const redacted = inside === null ? this.whole(item) : this.#value(item, inside);
      isChanged ||= redacted !== item;
      if (inside !== null || this.rules.mode !== 'remove') items.push(redacted);
      else isChanged = true;
    }
    return isChanged ? items : list;
  }

  #object(object: JsonObject, positions: PathPositions): Json {
    const entries: [string, Json][] = [];
    const names = new Names();
    let isChanged = false;
    for (const [key, value] of Object.entries(object)) {
      const inside = positionsInside(positions, key);
      const redacted = inside === null ? this.whole(value) : this.#value(value, inside);
      const name = names.distinct(this.text(key));
      isChanged ||= redacted !== value || name !== key;
      if (inside === null && this.rules.mode === 'remove') isChanged = true;
      else entries.push([name, redacted]);
    }
    return isChanged ? Object.fromEntries(entries) : object;
  }
}

/** The keys of a redacted object. Keys may be personal data, too, such as the addresses of a map by address. */
class Names {
  readonly #taken = new Set<string>();
  /** The last number given to a name that several keys have. */
  readonly #numbers = new Map<string, number>();

  distinct(redacted: string): string {
    let name = redacted;
    if (this.#taken.has(name)) {
      let n = this.#numbers.get(redacted) ?? 1;
      do name = `${redacted} ${++n}`;
      while (this.#taken.has(name));
      this.#numbers.set(redacted, n);
    }
    this.#taken.add(name);
    return name;
  }
}
