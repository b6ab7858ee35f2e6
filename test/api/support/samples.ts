import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';

/** A place in a value: the keys that lead there. */
export type Path = readonly (string | number)[];

/** Deeper parts of a schema are left out of its samples. */
const MAX_LEVELS = 12;

/**
 * Values that a JSON Schema describes, with every property of every alternative in at least one of them. Patterns and most bounds are not looked at:
 * a sample need not be valid.
 */
export function samplesOf(schema: Json, document: JsonObject, levels = 0): readonly Json[] {
  if (!isObject(schema) || levels > MAX_LEVELS) return [null];
  const { $ref, anyOf, oneOf, allOf, enum: choices, type } = schema;
  if (typeof $ref === 'string') return samplesOf(referred($ref, document), document, levels + 1);
  if ('const' in schema) return [schema.const ?? null];
  if (Array.isArray(choices)) return [choices[0] ?? null];
  // Alternatives beside properties say which of them are required.
  if (isObject(schema.properties ?? null)) return objects(schema.properties as JsonObject, document, levels);
  const alternatives = anyOf ?? oneOf;
  if (Array.isArray(alternatives)) return alternatives.flatMap((each: Json) => samplesOf(each, document, levels + 1));
  if (Array.isArray(allOf)) return [Object.assign({}, ...allOf.flatMap((each: Json) => samplesOf(each, document, levels + 1)))];
  if (type === 'array') return samplesOf(schema.items ?? null, document, levels + 1).map((item) => [item]);
  if (isObject(schema.additionalProperties ?? null))
    return samplesOf(schema.additionalProperties ?? null, document, levels + 1).map((value) => ({ key: value }));
  if (type === 'integer' || type === 'number') return [typeof schema.minimum === 'number' ? schema.minimum : 1];
  if (type === 'boolean') return [true];
  return [type === 'string' ? 'a' : {}];
}

/** One with the first sample of each property, and one for each other sample. */
function objects(properties: JsonObject, document: JsonObject, levels: number): readonly JsonObject[] {
  const all = Object.entries(properties).map(([key, part]) => [key, samplesOf(part, document, levels + 1)] as const);
  const first = Object.fromEntries(all.map(([key, [sample = null]]) => [key, sample]));
  return [first, ...all.flatMap(([key, [, ...others]]) => others.map((other) => ({ ...first, [key]: other })))];
}

function referred(ref: string, document: JsonObject): Json {
  return ref
    .slice(2)
    .split('/')
    .reduce<Json>((at, key) => (isObject(at) ? (at[decodeURIComponent(key).replaceAll('~1', '/')] ?? null) : null), document);
}

/** Every place in the value, the value itself first. */
export function placesIn(value: Json, path: Path = []): readonly Path[] {
  if (Array.isArray(value)) return [path, ...value.flatMap((item: Json, index) => placesIn(item, [...path, index]))];
  if (!isObject(value)) return [path];
  return [path, ...Object.entries(value).flatMap(([key, part]) => placesIn(part, [...path, key]))];
}

/** The value with another one in that place; undefined there = nothing. */
export function replaced(value: Json, [key, ...rest]: Path, other: Json | undefined): Json | undefined {
  if (key === undefined) return other;
  const at = Array.isArray(value) ? [...value] : { ...(value as JsonObject) };
  const inner = replaced((at as Record<string | number, Json>)[key] ?? null, rest, other);
  return Object.assign(at, { [key]: inner });
}
