import { isObject, type Json, type JsonObject } from '../json.ts';
import { type DetectorName, detect, detectsNumber, type Span } from './detectors.ts';
import { KnownValues } from './known-values.ts';
import { type Path, type PathPositions, positionsInside, startOf } from './paths.ts';
import { type RedactionMode, replacementOf } from './replacement.ts';

/** What is replaced, and by what. */
export interface RedactionRules {
  readonly paths: readonly Path[];
  readonly detectors: readonly DetectorName[];
  readonly mode: RedactionMode;
}

const NOWHERE: PathPositions = [];

/** Replaces personal data. Values in which there is none come back as the same object. */
export class Redactor {
  readonly rules: RedactionRules;
  readonly known: KnownValues;
  readonly #start: PathPositions;

  /** `roots`: states and inputs, whose values at the paths are replaced wherever they reappear. */
  constructor(rules: RedactionRules, roots: readonly Json[]) {
    this.rules = rules;
    this.known = new KnownValues(rules.paths, roots);
    this.#start = startOf(rules.paths);
  }

  /** A value in which the paths begin, such as a state, an input or an output. */
  root(value: Json): Json {
    return this.#value(value, this.#start);
  }

  /** Any other value: what is in it is recognised by detectors, and by having been at a path. */
  json(value: Json): Json {
    return this.#value(value, NOWHERE);
  }

  text(text: string): string {
    const { mode } = this.rules;
    if (this.known.has(text)) return replacementOf(text, mode);
    const spans = this.spansIn(text);
    if (spans.length === 0) return text;
    let redacted = '';
    let at = 0;
    for (const { start, end } of spans) {
      redacted += text.slice(at, start) + replacementOf(text.slice(start, end), mode);
      at = end;
    }
    return redacted + text.slice(at);
  }

  /** The parts that are replaced, in order and without overlaps. */
  spansIn(text: string): readonly Span[] {
    return merged([...detect(text, this.rules.detectors), ...this.known.find(text)]);
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
    const names = new Set<string>();
    let isChanged = false;
    for (const [key, value] of Object.entries(object)) {
      const inside = positionsInside(positions, key);
      const redacted = inside === null ? this.whole(value) : this.#value(value, inside);
      const name = this.#nameOf(key, names);
      isChanged ||= redacted !== value || name !== key;
      if (inside === null && this.rules.mode === 'remove') isChanged = true;
      else entries.push([name, redacted]);
    }
    return isChanged ? Object.fromEntries(entries) : object;
  }

  /** Keys may be personal data, too, such as the addresses of a map by address. */
  #nameOf(key: string, taken: Set<string>): string {
    const redacted = this.text(key);
    let name = redacted;
    for (let n = 2; taken.has(name); n += 1) name = `${redacted} ${n}`;
    taken.add(name);
    return name;
  }
}

function merged(spans: Span[]): readonly Span[] {
  if (spans.length < 2) return spans;
  spans.sort((a, b) => a.start - b.start || b.end - a.end);
  const result: Span[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (last === undefined || span.start >= last.end) result.push(span);
    else if (span.end > last.end) result[result.length - 1] = { start: last.start, end: span.end };
  }
  return result;
}
