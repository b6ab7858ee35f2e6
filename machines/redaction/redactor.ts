import type { Cooperative } from '../cooperative.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { keptText, resultOf } from './cold-results.ts';
import { type DetectorName, detectsNumber, type Finder, findersOf, type Span } from './detectors.ts';
import type { KnownValues } from './known-values.ts';
import { type Path, type PathPositions, positionsInside, samePositions, startOf } from './paths.ts';
import { MASK, type RedactionMode, replacementInWindows, replacementOf } from './replacement.ts';
import { spansIn, spansInWindows } from './spans.ts';

/** What is replaced, and by what. */
export interface RedactionRules {
  readonly paths: readonly Path[];
  readonly detectors: readonly DetectorName[];
  readonly mode: RedactionMode;
}

const NOWHERE: PathPositions = [];
/** Spans that are replaced before other work may go on: a hash takes some microseconds. */
const REPLACED_AT_ONCE = 64;
/** Longer texts are redacted in windows, in code units. */
const LONG_TEXT = 512;
/** What is redacted before other work may go on, in code units of texts; each value counts as some. */
const UNITS_AT_ONCE = 256;
const UNITS_OF_VALUE = 8;
/** A list or an object that has taken as many pauses is known again. */
const PAUSES_OF_LARGE = 8;

type Composite = JsonObject | readonly Json[];

/** How far a computation is. */
interface Pace {
  units: number;
  pauses: number;
}

/** Replaces personal data. Values in which there is none come back as the same object. */
export class Redactor {
  readonly rules: RedactionRules;
  readonly known: KnownValues;
  readonly #start: PathPositions;
  readonly #detectors: readonly Finder[];
  /** Owners of results: values in which the paths begin, others, and those that are replaced as a whole. */
  readonly #roots = {};
  readonly #others = {};
  readonly #wholes = {};
  /** Large parts of values, which the next value often shares. */
  readonly #parts = new WeakMap<Composite, { readonly positions: PathPositions; readonly redacted: Json }>();

  /** `known`: the values of states and inputs that are replaced wherever they reappear. */
  constructor(rules: RedactionRules, known: KnownValues) {
    this.rules = rules;
    this.known = known;
    this.#start = startOf(rules.paths);
    this.#detectors = findersOf(rules.detectors);
  }

  // While cold results are collected, what takes long comes back as something else.

  /** A value in which the paths begin, such as a state, an input or an output. */
  root(value: Json): Json {
    return this.#value(value, this.#start, this.#roots);
  }

  /** Any other value: what is in it is recognised by detectors, and by having been at a path. */
  json(value: Json): Json {
    return this.#value(value, NOWHERE, this.#others);
  }

  text(text: string): string {
    return text.length <= LONG_TEXT ? this.#shortText(text) : resultOf(this, text, this.textInWindows(text), MASK);
  }

  /** Null = the key or item is dropped. */
  whole(value: Json): Json {
    if (value === null) return null;
    const isShort =
      this.rules.mode !== 'hash' || (typeof value === 'string' ? value.length <= LONG_TEXT : typeof value !== 'object');
    return isShort
      ? replacementOf(value, this.rules.mode)
      : resultOf(this.#wholes, value, replacementInWindows(value, this.rules.mode), MASK);
  }

  #value(value: Json, positions: PathPositions, owner: object): Json {
    if (typeof value === 'string') return this.text(value);
    if (!isComposite(value)) return this.#number(value);
    return resultOf<Json>(
      owner,
      value,
      this.#composite(value, positions, { units: 0, pauses: 0 }),
      Array.isArray(value) ? [] : {},
    );
  }

  #shortText(text: string): string {
    if (this.known.has(text)) return replacementOf(text, this.rules.mode);
    const spans = this.spansIn(text);
    return spans.length === 0 ? text : this.#replaced(text, spans, 0, spans.length) + text.slice(spans.at(-1)?.end);
  }

  /** The same as `text`, in parts of a millisecond or so. */
  *textInWindows(text: string): Cooperative<string> {
    if (this.known.has(text)) return yield* replacementInWindows(text, this.rules.mode);
    const spans = yield* this.spansInWindows(text);
    return spans.length === 0 ? text : yield* this.replacedInWindows(text, spans, text.length);
  }

  /** The text up to a place, with those spans replaced that end there or before. */
  *replacedInWindows(text: string, spans: readonly Span[], until: number): Cooperative<string> {
    const behind = spans.findIndex(({ end }) => end > until);
    const count = behind < 0 ? spans.length : behind;
    const parts: string[] = [];
    for (let at = 0; at < count; at += 1) {
      const { start, end } = spans[at] as Span;
      parts.push(text.slice(spans[at - 1]?.end ?? 0, start));
      parts.push(yield* replacementInWindows(text.slice(start, end), this.rules.mode));
      if (at % REPLACED_AT_ONCE === 0) yield;
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

  #number<T extends Json>(value: T): T | string {
    const isOne = typeof value === 'number' && (detectsNumber(value, this.rules.detectors) || this.known.has(String(value)));
    return isOne ? replacementOf(value, this.rules.mode) : value;
  }

  *#composite(value: Composite, positions: PathPositions, pace: Pace): Cooperative<Json> {
    const part = this.#parts.get(value);
    if (part !== undefined && samePositions(part.positions, positions)) return part.redacted;
    const { pauses } = pace;
    const redacted = yield* Array.isArray(value)
      ? this.#list(value as readonly Json[], positions, pace)
      : this.#object(value as JsonObject, positions, pace);
    if (pace.pauses - pauses >= PAUSES_OF_LARGE) this.#parts.set(value, { positions, redacted });
    return redacted;
  }

  *#list(list: readonly Json[], positions: PathPositions, pace: Pace): Cooperative<Json> {
    const items: Json[] = [];
    let isChanged = false;
    for (const [i, item] of list.entries()) {
      const inside = positionsInside(positions, String(i));
      const redacted = yield* this.#inside(item, inside, pace);
      isChanged ||= redacted !== item;
      if (inside !== null || this.rules.mode !== 'remove') items.push(redacted);
      else isChanged = true;
    }
    return isChanged ? items : list;
  }

  *#object(object: JsonObject, positions: PathPositions, pace: Pace): Cooperative<Json> {
    const entries: [string, Json][] = [];
    const names = new Names();
    let isChanged = false;
    for (const [key, value] of Object.entries(object)) {
      const inside = positionsInside(positions, key);
      const redacted = yield* this.#inside(value, inside, pace);
      const name = names.distinct((yield* this.#inside(key, NOWHERE, pace)) as string);
      isChanged ||= redacted !== value || name !== key;
      if (inside === null && this.rules.mode === 'remove') isChanged = true;
      else entries.push([name, redacted]);
    }
    return isChanged ? Object.fromEntries(entries) : object;
  }

  /** A part of a value. `positions`: null = it is at a path. */
  *#inside(value: Json, positions: PathPositions | null, pace: Pace): Cooperative<Json> {
    pace.units += UNITS_OF_VALUE + (typeof value === 'string' ? Math.min(value.length, UNITS_AT_ONCE) : 0);
    if (pace.units >= UNITS_AT_ONCE) {
      pace.units = 0;
      pace.pauses += 1;
      yield;
    }
    if (positions === null) return value === null ? null : yield* replacementInWindows(value, this.rules.mode);
    if (typeof value === 'string') {
      if (value.length <= LONG_TEXT) return this.#shortText(value);
      pace.pauses += PAUSES_OF_LARGE;
      return yield* keptText(this, value, () => this.textInWindows(value));
    }
    return isComposite(value) ? yield* this.#composite(value, positions, pace) : this.#number(value);
  }
}

function isComposite(value: Json): value is Composite {
  return Array.isArray(value) || isObject(value);
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
