import { isObject, type Json } from '../../../machines/json.ts';
import { timestamp } from '../time.ts';

// Between the JSON of the API and the values of the program, by one rule: `workflow_id` ↔ `workflowId`, and in replies `created_at`, RFC 3339,
// from `createdAtMs`, milliseconds. Only what a schema declares is renamed: free JSON (`input`, labels, cards) stays as it is.

type CamelCase<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

type Free<T> = Json extends T ? true : string extends keyof T ? true : false;

/** A request as the program reads it. Times stay texts: routes differ in what they accept. */
export type Decoded<T> =
  Free<T> extends true
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Decoded<Item>[]
      : T extends object
        ? { readonly [K in keyof T as K extends string ? CamelCase<K> : never]: Decoded<T[K]> }
        : T;

/** A part of a reply that is in the form of the API already, such as stored JSON. */
export class Verbatim {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  get value(): unknown {
    return this.#value;
  }
}

/** Stored JSON text in the form of the API; null stays null. */
export function parsed<Text extends string | null>(text: Text): Verbatim | Extract<Text, null> {
  return (text === null ? null : new Verbatim(JSON.parse(text))) as Verbatim | Extract<Text, null>;
}

type NameOf<K> = K extends `${infer Event}_at` ? `${CamelCase<Event>}AtMs` : K extends string ? CamelCase<K> : never;

/** Optional fields may also be null, which leaves them out. */
type ValueOf<K, V> =
  | (K extends `${string}_at` ? number | Extract<V, null> : Encodable<Exclude<V, undefined>>)
  | (undefined extends V ? null | undefined : never);

/** What the program gives for a reply. It may have other fields, which are not sent. */
export type Encodable<T> =
  Free<T> extends true
    ? T | Verbatim
    : T extends readonly (infer Item)[]
      ? readonly Encodable<Item>[] | Verbatim
      : T extends object
        ? { readonly [K in keyof T as NameOf<K>]: ValueOf<K, T[K]> } | Verbatim
        : T;

export type Convert = (value: unknown) => unknown;

interface Field {
  /** In the value that is read, and in the one that is made. */
  readonly from: string;
  readonly to: string;
  readonly convert: Convert;
  /** Null leaves the field out. */
  readonly isOmittedIfNull: boolean;
}

/** Converts values of the program to the JSON that the schema describes. */
export function encoder(schema: unknown): Convert {
  return converter(schema, encoder, (name, property, isRequired) => {
    const isTime = name.endsWith('_at');
    return {
      from: isTime ? `${camelCase(name)}Ms` : camelCase(name),
      to: name,
      convert: isTime ? (value) => (typeof value === 'number' ? timestamp(value) : value) : encoder(property),
      isOmittedIfNull: !isRequired && !allowsNull(property),
    };
  });
}

/** Converts JSON that the schema has validated to values of the program. Other fields are left out. */
export function decoder(schema: unknown): Convert {
  return converter(schema, decoder, (name, property) => ({
    from: name,
    to: camelCase(name),
    convert: decoder(property),
    isOmittedIfNull: false,
  }));
}

const asIs: Convert = (value) => value;

function converter(
  schema: unknown,
  inner: (schema: unknown) => Convert,
  fieldOf: (name: string, property: unknown, isRequired: boolean) => Field,
): Convert {
  if (!isObject(schema)) return asIs;
  if (Array.isArray(schema.anyOf)) return soleConvert(schema.anyOf.map(inner));
  if (schema.type === 'array') return ofEach(inner(schema.items));
  // What is open to other fields is kept with these.
  if (!isObject(schema.properties) || schema.additionalProperties === true) return asIs;
  const required = Array.isArray(schema.required) ? schema.required : [];
  const fields = Object.entries(schema.properties).map(([name, property]) => fieldOf(name, property, required.includes(name)));
  return (value) => (isObject(value) && !(value instanceof Verbatim) ? converted(value, fields) : verbatim(value));
}

function verbatim(value: unknown): unknown {
  return value instanceof Verbatim ? value.value : value;
}

function converted(value: Readonly<Record<string, unknown>>, fields: readonly Field[]): Readonly<Record<string, unknown>> {
  const made: Record<string, unknown> = {};
  for (const { from, to, convert, isOmittedIfNull } of fields) {
    const given = value[from];
    if (given !== undefined && !(given === null && isOmittedIfNull)) made[to] = verbatim(convert(given));
  }
  return made;
}

/** Of the choices of a schema, at most one has fields to rename. */
function soleConvert(choices: readonly Convert[]): Convert {
  const [first = asIs, ...others] = choices.filter((convert) => convert !== asIs);
  if (others.length > 0) throw new Error('internal error: a schema with several forms of an object has no codec');
  return first;
}

function ofEach(convert: Convert): Convert {
  if (convert === asIs) return asIs;
  return (value) => {
    if (Array.isArray(value)) return value.map(convert);
    return isStream(value) ? eachOf(value, convert) : value;
  };
}

/** A list that is read while it is sent. */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

async function* eachOf(items: AsyncIterable<unknown>, convert: Convert): AsyncGenerator<unknown> {
  for await (const item of items) yield convert(item);
}

function allowsNull(schema: unknown): boolean {
  return isObject(schema) && (schema.type === 'null' || (Array.isArray(schema.anyOf) && schema.anyOf.some(allowsNull)));
}

/** The fields of a request that are not null. */
export function present<Given extends object>(given: Given) {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as {
    readonly [K in keyof Given as null extends Given[K] ? never : K]: Given[K];
  } & { readonly [K in keyof Given as null extends Given[K] ? K : never]?: Exclude<Given[K], null> };
}

/** The fields of a request, with a default for each of these that is absent or null. */
export function withDefaults<Given extends object, Defaults extends Partial<Given>>(given: Given, defaults: Defaults) {
  return {
    ...defaults,
    ...Object.fromEntries(Object.entries(given).filter(([name, value]) => value !== null || !(name in defaults))),
  } as {
    readonly [K in keyof Given]-?: K extends keyof Defaults ? NonNullable<Given[K]> | Extract<Defaults[K], null> : Given[K];
  };
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
