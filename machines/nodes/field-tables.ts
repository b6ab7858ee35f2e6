import type { TSchema } from 'typebox';
import type { Fields } from '../reading/fields.ts';
import { Type } from '../type.ts';
import type { Field, FieldOptions, FieldTable, KindDefaults, NormalForm } from './field.ts';

// What follows from the fields of a kind, or of an object inside one.

/** The fields without those that are only there. */
function entriesOf(fields: FieldTable, ...without: readonly NonNullable<FieldOptions['only']>[]): [string, Field][] {
  return Object.entries(fields).filter(([, { options }]) => options.only === undefined || !without.includes(options.only));
}

const ofNormalForm = (fields: FieldTable) => entriesOf(fields, 'document', 'file', 'document and file');
const ofDocuments = (fields: FieldTable) => entriesOf(fields, 'file');
export const ofFiles = (fields: FieldTable) => entriesOf(fields, 'document', 'normal form');

/** The schema of the normal form. */
export function objectSchema(fields: FieldTable, description: string, own: Readonly<Record<string, TSchema>> = {}) {
  return Type.Object(
    { ...own, ...Object.fromEntries(ofNormalForm(fields).map(([key, { schema }]) => [key, schema])) },
    { description },
  );
}

/** The schema of an object as documents may write it: with other spellings, and without what has a default. */
export function documentSchema(fields: FieldTable, description: string, own: Readonly<Record<string, TSchema>> = {}): TSchema {
  const written = ofDocuments(fields);
  const required = written.flatMap(([key, { options }]) => (options.required === undefined ? [] : [key]));
  const properties = Object.fromEntries(written.map(([key, { document }]) => [key, document]));
  return documentObject(
    { ...own, ...properties },
    { description, required: [...Object.keys(own), ...required], aliases: aliases(fields) },
  );
}

interface ObjectSpec {
  readonly description?: string | undefined;
  readonly required?: readonly string[];
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
}

/** An object in which null counts as absent, and keys have other spellings. */
export function documentObject(
  keys: Readonly<Record<string, TSchema>>,
  { description, required = [], aliases: spelt = {} }: ObjectSpec = {},
): TSchema {
  const properties: Record<string, object> = {};
  for (const [key, schema] of Object.entries(keys)) {
    const others = spelt[key] ?? [];
    properties[key] = required.includes(key) && others.length === 0 ? { ...schema } : orNull(schema);
    for (const other of others) properties[other] = { ...orNull(schema), description: `The same as \`${key}\`.` };
  }
  const fixed = required.filter((key) => spelt[key] === undefined);
  const spelled = required.filter((key) => spelt[key] !== undefined);
  const anyOf = (key: string) => ({ anyOf: [key, ...(spelt[key] ?? [])].map((spelling) => ({ required: [spelling] })) });
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    properties,
    ...(fixed.length === 0 ? {} : { required: fixed }),
    ...(spelled.length === 0 ? {} : { allOf: spelled.map(anyOf) }),
  };
}

/** Null counts as absent wherever a key may be absent. */
function orNull(schema: TSchema): object {
  const { description, ...rest } = schema as TSchema & { description?: string };
  const isAny = Object.keys(rest).length === 0;
  return { ...(description === undefined ? {} : { description }), ...(isAny ? {} : { anyOf: [rest, { type: 'null' }] }) };
}

/** The spellings of a key besides itself. */
function aliasesOf(key: string, { spellings = [] }: FieldOptions): readonly string[] {
  return spellings.filter((spelling) => spelling !== key);
}

/** Other spellings by key, as far as there are any. */
export function aliases(fields: FieldTable): Record<string, readonly string[]> {
  const spelt = ofDocuments(fields).map(([key, { options }]) => [key, aliasesOf(key, options)] as const);
  return Object.fromEntries(spelt.filter(([, others]) => others.length > 0));
}

/** The fields that authors write, by their spellings. */
export function fieldsBySpelling(fields: FieldTable): ReadonlyMap<string, Field> {
  const written = entriesOf(fields, 'normal form');
  return new Map(
    written.flatMap(([key, field]) => [key, ...(field.options.spellings ?? [])].map((spelling) => [spelling, field])),
  );
}

/** The keys that are worth a warning on other kinds. */
export function distinctiveKeys(fields: FieldTable): string[] {
  return Object.entries(fields).flatMap(([key, { options }]) =>
    options.distinctive === true ? [key] : (options.distinctive ?? []),
  );
}

/** Reads the fields into the normal form, beside `own` keys; `check` notes what is wrong with them together. */
export function readerOf<F extends FieldTable, Own extends object = Record<never, never>>(
  fields: F,
  own?: Own,
  check?: (normal: Own & NormalForm<F>, given: Fields) => void,
): (given: Fields, defaults: KindDefaults) => Own & NormalForm<F> {
  const spelt = aliases(fields);
  const readers = ofNormalForm(fields).map(([key, { read }]) => [key, read] as const);
  return (given, defaults) => {
    const spelled = given.withAliases(spelt);
    const normal: Record<string, unknown> = { ...own };
    for (const [key, read] of readers) {
      const value = read(spelled, key, defaults);
      if (value !== undefined) normal[key] = value;
    }
    check?.(normal as Own & NormalForm<F>, spelled);
    return normal as Own & NormalForm<F>;
  };
}

type OptionalFields<F extends FieldTable> = {
  readonly [K in keyof F]: F[K] extends Field<infer Value, infer Written, infer O>
    ? Field<Value, Written, Omit<O, 'required' | 'default'>>
    : never;
};

/** The same fields, of which none must be there. */
export function optionalFields<F extends FieldTable>(fields: F): OptionalFields<F> {
  const optional = Object.entries(fields).map(([key, field]) => {
    const { required: _, ...options } = field.options;
    return [key, { ...field, schema: Type.Optional(field.schema), options }];
  });
  return Object.fromEntries(optional) as OptionalFields<F>;
}
