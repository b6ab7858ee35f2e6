import type { Node } from 'yaml';
import { secondsOf } from '../../machines/duration.ts';
import { isObject, type Json } from '../../machines/json.ts';
import { MAX_SECONDS } from '../../machines/limits.ts';
import { fitted } from '../../machines/shortened.ts';
import { didYouMean } from '../../machines/suggest.ts';
import type { Source } from './source.ts';
import { isMap, isScalar, isSeq } from './tree.ts';
import { type Field, fieldsOf, jsonOf, offsetOf, resolveAliases } from './values.ts';

/** Keys by which other workflow languages repeat a step. */
const LIST_KEYS: ReadonlySet<string> = new Set(['foreach', 'for_each', 'loop_over']);

/** A value with its offset in the file. */
export interface Located<T> {
  readonly value: T;
  readonly offset: number;
}

/**
 * Reads one map of the file key by key. A method takes a key's spellings: two of them at once are an error, null counts as
 * absent, and a value of the wrong type is noted and counts as absent. `warnAboutUnread` warns of the keys that were not read.
 */
export class MapReader {
  /** The map in messages: `node "review"`. */
  readonly name: string;
  readonly nodeId: string | null;
  readonly source: Source;
  /** Offset of the key of the map. */
  readonly offset: number;
  readonly #fields: ReadonlyMap<string, Field>;
  readonly #knownKeys = new Set<string>();
  /** The first spelling of each key that was read. */
  readonly #firstSpellings = new Set<string>();

  /** `map`: a node of the file, or the fields of several. */
  constructor(
    map: Node | ReadonlyMap<string, Field> | null,
    at: number,
    name: string,
    source: Source,
    nodeId: string | null = null,
  ) {
    this.name = name;
    this.nodeId = nodeId;
    this.source = source;
    this.offset = at;
    this.#fields = map instanceof Map ? map : isMap(map) ? fieldsOf(map, source) : new Map();
  }

  get fields(): readonly Field[] {
    return [...this.#fields.values()];
  }

  has(...keys: string[]): boolean {
    return keys.some((key) => this.#fields.get(key)?.value != null);
  }

  find(...keys: string[]): Field | null {
    for (const key of keys) this.#knownKeys.add(key);
    for (const key of keys.slice(0, 1)) this.#firstSpellings.add(key);
    const [field, other] = keys.flatMap((key) => this.#fields.get(key) ?? []).filter(({ value }) => value !== null);
    if (field !== undefined && other !== undefined) {
      this.error('given_twice', `"${field.key}" and "${other.key}" say the same thing`, other.keyOffset, 'remove one of the two');
    }
    return field ?? null;
  }

  /** A text; numbers and booleans as they are written (`version: 0.10` is "0.10"). */
  text(...keys: string[]): Located<string> | null {
    return this.#read(keys, 'a text', (node) => scalarText(node));
  }

  json(...keys: string[]): Located<Json> | null {
    return this.#read(keys, 'a value', (node) => jsonOf(node, this.source));
  }

  /** Seconds from `30`, `30s`, `1.5h`, `250ms`, `2d`. */
  seconds(keys: readonly string[], least: 'zero' | 'positive' = 'positive'): Located<number> | null {
    return this.secondsIn(keys, 1, least);
  }

  /** Seconds from a duration; a number without a unit counts in `unitSeconds`. */
  secondsIn(keys: readonly string[], unitSeconds: number, least: 'zero' | 'positive' = 'positive'): Located<number> | null {
    const wanted = `a duration ${least === 'zero' ? 'of 0 or more' : 'above 0'}, such as 30, 30s, 1.5h or 2d`;
    return this.#read(keys, wanted, (node) => {
      const given = jsonOf(node, this.source);
      const value = isObject(given) && Object.keys(given).length === 1 ? (given.node_seconds ?? given) : given;
      const isPlainNumber = typeof value === 'number' || (typeof value === 'string' && /^\s*[\d.]+\s*$/.test(value));
      const seconds = secondsOf(value);
      if (seconds === null) return null;
      // Rounded to milliseconds: 0.3 h would be 1079.9999999999998 s.
      const exact = Math.round(seconds * (isPlainNumber ? unitSeconds : 1) * 1000) / 1000;
      return (exact > 0 || (least === 'zero' && exact === 0)) && exact <= MAX_SECONDS ? exact : null;
    });
  }

  list(...keys: string[]): Located<readonly Node[]> | null {
    return this.#read(keys, 'a list', (node) => (isSeq(node) ? node.items.map((item) => item as Node) : null));
  }

  /** A reader of a map inside this one; messages call the map `called`. */
  map(called: string, ...keys: string[]): MapReader | null {
    const found = this.#read(keys, 'a map', (node) => (isMap(node) ? node : null));
    return found === null
      ? null
      : new MapReader(
          found.value,
          this.#fields.get(keys.find((key) => this.has(key)) ?? '')?.keyOffset ?? found.offset,
          called,
          this.source,
          this.nodeId,
        );
  }

  /** Adds the error that the value of a field must be `wanted`. */
  wrongType(field: Field, wanted: string): void {
    this.error('wrong_type', `${this.name}: "${field.key}" must be ${wanted}, not ${describe(field.value)}`, field.offset);
  }

  error(code: string, message: string, at: number, hint: string | null = null): void {
    this.source.findings.error(code, message, at, { node_id: this.nodeId, hint });
  }

  warning(code: string, message: string, at: number, hint: string | null = null): void {
    this.source.findings.warning(code, message, at, { node_id: this.nodeId, hint });
  }

  /** The keys that were not read, without `x-…` keys, which are the author's own. */
  unread(): readonly Field[] {
    return this.fields.filter(({ key }) => !this.#knownKeys.has(key) && !key.startsWith('x-'));
  }

  /** Whether the key is one that this map may have. */
  knows(key: string): boolean {
    return this.#knownKeys.has(key);
  }

  /** Warns of the keys that were not read; they may belong in the map `inner`. */
  warnAboutUnread(inner: MapReader | null = null): void {
    for (const { key, keyOffset } of this.unread()) {
      const hint = LIST_KEYS.has(key)
        ? 'for the same work for every item of a list, write type: map with items, as and do'
        : inner?.knows(key)
          ? `write it inside "${inner.name}:"`
          : (didYouMean(key, this.#knownKeys) ?? `it may have: ${[...this.#firstSpellings].sort().join(', ')}`);
      this.warning('unknown_key', `${this.name}: "${key}" is unknown here and ignored`, keyOffset, hint);
    }
  }

  #read<T>(keys: readonly string[], wanted: string, convert: (node: Node) => T | null): Located<T> | null {
    const field = this.find(...keys);
    if (field === null || field.value === null) return null;
    const value = convert(field.value);
    if (value !== null) return { value, offset: field.offset };
    this.wrongType(field, wanted);
    return null;
  }
}

export function scalarText(node: Node | null): string | null {
  if (!isScalar(node)) return null;
  if (typeof node.value === 'string') return node.value;
  return typeof node.value === 'number' || typeof node.value === 'boolean' ? (node.source ?? String(node.value)) : null;
}

/** A list item as a text or a map; anything else is an error. */
export function readItem(item: unknown, name: string, parent: MapReader, wanted: string): Located<string> | MapReader | null {
  const node = resolveAliases(item, parent.source);
  const at = offsetOf(item);
  if (isMap(node)) return new MapReader(node, at, name, parent.source, parent.nodeId);
  const text = scalarText(node);
  if (text !== null) return { value: text, offset: at };
  parent.error('wrong_type', `${name} must be ${wanted}, not ${describe(node)}`, at);
  return null;
}

function describe(node: Node | null): string {
  if (node === null) return 'empty';
  if (isMap(node)) return 'a map';
  if (isSeq(node)) return 'a list';
  const text = scalarText(node) ?? 'something else';
  return `"${fitted(text, 60)}"`;
}
