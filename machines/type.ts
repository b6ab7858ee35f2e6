import type { TObject, TProperties, TSchema, Type as TypeBox } from 'typebox';

/** The constructors of `Type`. */
export type SchemaConstructor =
  | 'Any'
  | 'Array'
  | 'Boolean'
  | 'Enum'
  | 'Integer'
  | 'Intersect'
  | 'Literal'
  | 'Null'
  | 'Number'
  | 'Object'
  | 'Optional'
  | 'Partial'
  | 'Record'
  | 'String'
  | 'Tuple'
  | 'Union'
  | 'Unknown'
  | 'Unsafe';

type Options = Readonly<Record<string, unknown>>;

const KEYS: Readonly<Record<string, string>> = {
  Integer: '^-?(?:0|[1-9][0-9]*)$',
  Number: '^-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?$',
  String: '^.*$',
};

/**
 * The constructors of TypeBox that schemas are mostly made of. They make the schemas that TypeBox makes, and have its types, so that both
 * may be mixed; but loading the whole of TypeBox takes a third of a second.
 */
export const Type = {
  Any: (options?: Options) => schema('Any', {}, options),
  Array: (items: TSchema, options?: Options) => schema('Array', { type: 'array', items }, options),
  Boolean: (options?: Options) => schema('Boolean', { type: 'boolean' }, options),
  Enum: (values: object, options?: Options) =>
    schema('Enum', { enum: Array.isArray(values) ? values : valuesOf(values) }, options),
  Integer: (options?: Options) => schema('Integer', { type: 'integer' }, options),
  Intersect: (allOf: readonly TSchema[], options?: Options) => schema('Intersect', { allOf }, options),
  Literal: (value: bigint | boolean | number | string, options?: Options) =>
    schema('Literal', { type: typeof value, const: value }, options),
  Null: (options?: Options) => schema('Null', { type: 'null' }, options),
  Number: (options?: Options) => schema('Number', { type: 'number' }, options),
  Object: object,
  Optional: (of: TSchema) => hide(of, '~optional', true),
  Partial: ({ properties }: TObject, options?: Options) =>
    object(Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, hide(of, '~optional', true)])), options),
  Record: record,
  String: (options?: Options) => schema('String', { type: 'string' }, options),
  Tuple: (items: readonly TSchema[], options?: Options) =>
    schema('Tuple', { type: 'array', additionalItems: false, items, minItems: items.length }, options),
  Union: (anyOf: readonly TSchema[], options?: Options) => schema('Union', { anyOf }, options),
  Unknown: (options?: Options) => schema('Unknown', {}, options),
  Unsafe: (of: TSchema) => hide(of, '~unsafe', null),
} as unknown as Pick<typeof TypeBox, SchemaConstructor>;

function schema(kind: string, content: object, options: Options = {}): TSchema {
  return hide({ ...content, ...options }, '~kind', kind);
}

/** TypeBox's own properties of a schema are not part of its JSON. */
function hide(of: TSchema, name: string, value: unknown): TSchema {
  const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(of));
  return Object.defineProperty(copy, name, { value, configurable: true, writable: true, enumerable: false });
}

function object(properties: TProperties, options?: Options): TSchema {
  const required = Object.keys(properties).filter((name) => !Object.hasOwn(properties[name] ?? {}, '~optional'));
  return schema('Object', { type: 'object', ...(required.length > 0 ? { required } : {}), properties }, options);
}

function record(key: TSchema, value: TSchema, options?: Options): TSchema {
  const { '~kind': kind, pattern, enum: names } = key as { '~kind': string; pattern?: string | RegExp; enum?: readonly string[] };
  if (names !== undefined) return object(Object.fromEntries(names.map((name) => [name, value])), options);
  const keys = pattern === undefined ? KEYS[kind] : String(pattern);
  if (keys === undefined) throw new TypeError(`the keys of a record are String, Number, Integer or Enum, not ${kind}`);
  return schema('Record', { type: 'object', patternProperties: { [keys]: value } }, options);
}

/** Of an `enum` of TypeScript, which also has the names of its numbers. */
function valuesOf(values: object): readonly unknown[] {
  return Object.entries(values).flatMap(([name, value]) => (Number.isNaN(Number(name)) ? [value] : []));
}
