import type { Node, Pair, ParsedNode, YAMLMap } from 'yaml';
import type { Json } from '../../machines/json.ts';
import { MAX_NESTING } from '../../machines/limits.ts';
import { UnreadableFile } from './diagnostic.ts';
import type { Source } from './source.ts';
import { isAlias, isMap, isScalar, isSeq } from './tree.ts';

/** One `key: value` of a map. */
export interface Field {
  readonly key: string;
  /** Offset of the key. */
  readonly keyOffset: number;
  /** Null for `key:` and `key: null` alike. */
  readonly value: Node | null;
  /** Offset of the value, of the key when there is none. */
  readonly offset: number;
}

export function offsetOf(node: unknown): number {
  return (node as Partial<ParsedNode> | null)?.range?.[0] ?? 0;
}

/** The node after its aliases are resolved; null for none and for the scalar `null`. */
export function resolveAliases(node: unknown, source: Source): Node | null {
  let target = (node ?? null) as Node | null;
  for (let hops = 0; isAlias(target); hops++) {
    const at = offsetOf(target);
    const name = target.source;
    target = source.resolve(target);
    if (target === null || hops > MAX_NESTING)
      throw new UnreadableFile('unknown_anchor', `"*${name}" names an anchor that does not precede it`, at);
  }
  return isScalar(target) && target.value === null ? null : target;
}

/** Fields of each map, which may be merged into many others. */
const fieldsByMap = new WeakMap<YAMLMap, ReadonlyMap<string, Field>>();

/**
 * The fields of a map, with those that `<<` merges into it. A key that is no text is an error and left out. Keys of the map take precedence over
 * merged keys, earlier merged maps over later ones.
 */
export function fieldsOf(map: YAMLMap, source: Source, depth = 0): ReadonlyMap<string, Field> {
  const known = fieldsByMap.get(map);
  if (known !== undefined) return known;
  const ownFields = new Map<string, Field>();
  const merged: ReadonlyMap<string, Field>[] = [];
  for (const pair of map.items) {
    if (isMergeKey(pair)) merged.push(...mergedMaps(pair, source, depth));
    else {
      const field = fieldOf(pair, source);
      if (field === null) continue;
      if (ownFields.has(field.key))
        source.findings.error('duplicate_key', `the key "${field.key}" is in the map twice`, field.keyOffset, {
          hint: 'remove one of the two',
        });
      ownFields.set(field.key, field);
    }
  }
  for (const fields of merged) for (const [key, field] of fields) if (!ownFields.has(key)) ownFields.set(key, field);
  source.spend(ownFields.size, offsetOf(map));
  fieldsByMap.set(map, ownFields);
  return ownFields;
}

function fieldOf(pair: Pair, source: Source): Field | null {
  const keyOffset = offsetOf(pair.key);
  const key = resolveAliases(pair.key, source);
  const name = isScalar(key) ? key.value : key;
  if (typeof name !== 'string') {
    const what = name === null ? 'null' : isScalar(key) ? `the ${typeof name} ${String(key.source ?? name)}` : 'a list or map';
    const hint = isMap(key) ? 'put a template in quotes: "{{ … }}"' : 'put it in quotes';
    source.findings.error('bad_key', `a key is ${what}, not a text`, keyOffset || offsetOf(pair.value), { hint });
    return null;
  }
  if (name === '__proto__') {
    source.findings.error('bad_key', '"__proto__" cannot be a key', keyOffset);
    return null;
  }
  const value = resolveAliases(pair.value, source);
  return { key: name, keyOffset, value, offset: value === null ? keyOffset : offsetOf(pair.value) };
}

function isMergeKey(pair: Pair): boolean {
  return isScalar(pair.key) && pair.key.value === '<<' && pair.key.type === 'PLAIN';
}

function mergedMaps(pair: Pair, source: Source, depth: number): ReadonlyMap<string, Field>[] {
  if (depth > MAX_NESTING)
    throw new UnreadableFile('nested_too_deep', `"<<" leads through more than ${MAX_NESTING} maps`, offsetOf(pair.key));
  const value = resolveAliases(pair.value, source);
  const maps = isSeq(value) ? value.items.map((item) => resolveAliases(item, source)) : [value];
  return maps.flatMap((map) => {
    if (isMap(map)) return [fieldsOf(map, source, depth + 1)];
    source.findings.error('bad_merge', '"<<" takes a map or a list of maps', offsetOf(pair.key));
    return [];
  });
}

/** The JSON value of a node. Throws `UnreadableFile` when aliases make it endless or too large. */
export function jsonOf(node: unknown, source: Source, depth = 0): Json {
  source.spend(1, offsetOf(node));
  if (depth > MAX_NESTING) {
    const hint = 'an anchor that contains its own alias never ends';
    throw new UnreadableFile(
      'nested_too_deep',
      `aliases nest maps and lists more than ${MAX_NESTING} levels deep`,
      offsetOf(node),
      hint,
    );
  }
  const target = resolveAliases(node, source);
  if (target === null) return null;
  if (isSeq(target)) return target.items.map((item) => jsonOf(item, source, depth + 1));
  if (isMap(target)) {
    return Object.fromEntries([...fieldsOf(target, source)].map(([key, field]) => [key, jsonOf(field.value, source, depth + 1)]));
  }
  return isScalar(target) ? scalarJson(target.value, target.source, offsetOf(node), source) : null;
}

function scalarJson(value: unknown, written: string | undefined, at: number, source: Source): Json {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    source.findings.error('not_json', `${written ?? String(value)} is not a JSON value`, at, {
      hint: 'put it in quotes to make it a text',
    });
    return null;
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    source.findings.warning('rounded_number', `${written ?? value} is rounded to ${value}`, at, {
      hint: 'put it in quotes to keep every digit',
    });
  }
  return value;
}
