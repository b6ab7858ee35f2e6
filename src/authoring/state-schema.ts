import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { type MapReader, scalarText } from './map-reader.ts';
import { isMap } from './tree.ts';
import { fieldsOf, jsonOf } from './values.ts';

/** Types of the short form, which may be named as in Python, and their JSON types. */
const TYPES: Readonly<Record<string, string>> = {
  str: 'string',
  string: 'string',
  int: 'integer',
  integer: 'integer',
  float: 'number',
  number: 'number',
  bool: 'boolean',
  boolean: 'boolean',
  list: 'array',
  array: 'array',
  dict: 'object',
  object: 'object',
};

/** The state schema: a class name or a JSON Schema unchanged, the short form (`amount: float`) as a JSON Schema. */
export function stateSchema(header: MapReader): Json | undefined {
  const field = header.find('state_schema');
  if (field === null) return undefined;
  if (!isMap(field.value)) {
    const name = scalarText(field.value);
    if (name === null) header.wrongType(field, 'a map of state keys and their types, or the name of a class');
    return name ?? undefined;
  }
  const given = jsonOf(field.value, header.source) as JsonObject;
  if (isObject(given.properties) || '$ref' in given || '$schema' in given) return given;
  const properties = [...fieldsOf(field.value, header.source).values()].map(
    ({ key, offset: at }) => [key, propertySchema(header, key, given[key] ?? null, at)] as const,
  );
  return { type: 'object', properties: Object.fromEntries(properties) };
}

function propertySchema(header: MapReader, key: string, type: Json, at: number): Json {
  if (type === null) return {};
  if (isObject(type)) {
    const name = type.type;
    return typeof name === 'string' ? { ...type, type: TYPES[name] ?? name } : type;
  }
  const schema = typeof type === 'string' ? typeSchema(type.trim()) : null;
  if (schema !== null) return schema;
  header.warning(
    'unknown_type',
    `state_schema: ${JSON.stringify(type)} is no type; "${key}" may hold any value`,
    at,
    `types: ${Object.keys(TYPES).join(', ')}, any`,
  );
  return {};
}

/** `str`, `list[str]`, `dict[str, int]`, `str | None`, `Optional[str]`; null when it is none of these. */
function typeSchema(type: string): JsonObject | null {
  const optional =
    /^Optional\[(.{1,200})\]$/.exec(type)?.[1] ?? /^(.{1,200}?)\s*\|\s*None$/.exec(type)?.[1] ?? /^(.{1,200})\?$/.exec(type)?.[1];
  if (optional !== undefined) {
    const inner = typeSchema(optional.trim());
    return typeof inner?.type === 'string' ? { ...inner, type: [inner.type, 'null'] } : inner;
  }
  if (/^any$/i.test(type)) return {};
  const [, name = '', argument] = /^([A-Za-z]{1,20})(?:\[(.{1,200})\])?$/.exec(type) ?? [];
  const known = Object.hasOwn(TYPES, name.toLowerCase()) ? TYPES[name.toLowerCase()] : undefined;
  if (known === undefined) return null;
  const items = known === 'array' && argument !== undefined ? typeSchema(argument.trim()) : null;
  return items === null ? { type: known } : { type: known, items };
}
