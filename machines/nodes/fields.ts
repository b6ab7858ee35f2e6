import type { Static, TSchema } from 'typebox';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Fields } from '../reading/fields.ts';
import { Type } from '../type.ts';
import type {
  Field,
  FieldOptions,
  FieldTable,
  Holds,
  KindDefaults,
  MappingMark,
  Named,
  NameKind,
  Nested,
  NormalForm,
  SchemaMark,
  ValueMark,
  VariantsMark,
  VariantTable,
} from './field.ts';
import { documentSchema, objectSchema, optionalFields, readerOf } from './field-tables.ts';

// The vocabulary in which kinds declare their fields. The schemas of both forms, the reading of documents and of workflow files, the targets and the
// types of the builder follow from a declaration.

/** No options. */
type None = Record<never, never>;

interface FieldSpec<Value, Document extends TSchema> {
  /** Default: as documents write it. */
  readonly schema?: TSchema;
  readonly document: Document;
  /** Default: `json`. */
  readonly holds?: Holds;
  readonly read: (fields: Fields, key: string, defaults: KindDefaults) => Value | undefined;
}

/** A field with a reader of its own, which also says what is wrong if it must be given. */
export function custom<Value, const Document extends TSchema, const O extends FieldOptions<Value> = None>(
  { document, schema = document, holds = 'json', read }: FieldSpec<Value, Document>,
  options?: O,
): Field<Value, Static<Document>, O> {
  const given: FieldOptions<Value> = options ?? {};
  const { default: byDefault, otherwise } = given;
  const whenAbsent = typeof byDefault === 'function' ? (byDefault as (fields: Fields) => Value) : () => byDefault;
  return {
    schema: given.required === undefined && byDefault === undefined ? Type.Optional(schema) : schema,
    document,
    holds,
    isTarget: holds === 'target',
    read: (fields, key, defaults) => read(fields, key, defaults) ?? whenAbsent(fields) ?? otherwise?.(fields, defaults),
    options: given as O,
  };
}

/** The field with another reader, which may ask the usual one. */
export function readBy<Value, Written, O>(
  field: Field<Value, Written, O>,
  read: (usual: () => Value | undefined, fields: Fields, key: string) => Value | undefined,
): Field<Value, Written, O> {
  return { ...field, read: (fields, key, defaults) => read(() => field.read(fields, key, defaults), fields, key) };
}

/** A schema of what authors write that has another type in the builder. */
const as = <Written>(schema: TSchema) => Type.Unsafe<Written>(schema);

type NameOr<O, Else = string> =
  | (O extends { readonly names: infer K extends NameKind } ? Named<K> : Else)
  | (O extends { readonly words: infer W extends readonly string[] } ? W[number] : never);

/** Any text. */
export function text<const O extends FieldOptions<string> = None>(description: string, options?: O) {
  const document = as<NameOr<O>>(Type.String({ description }));
  const isRequired = options?.required !== undefined;
  return custom(
    { document, holds: 'text', read: (fields, key) => (isRequired ? fields.requiredText(key) : fields.text(key)) },
    options,
  );
}

/** The name of a node, workflow, tool …, which messages quote. */
export function name<const O extends FieldOptions<string> = None>(description: string, options?: O) {
  const document = as<NameOr<O>>(Type.String({ description }));
  const isRequired = options?.required !== undefined;
  return custom(
    { document, holds: 'text', read: (fields, key) => (isRequired ? fields.requiredName(key) : fields.name(key)) },
    options,
  );
}

/** A version: a number is read as a text. */
export function version<const O extends FieldOptions<string> = None>(description: string, options?: O) {
  const document = as<string>(Type.Union([Type.String(), Type.Number()], { description }));
  const schema = Type.String({ description });
  return custom({ schema, document, holds: 'text', read: (fields, key) => fields.version(key) }, options);
}

/** A key of the state. */
export function stateKey<const O extends FieldOptions<string> = None>(description: string, options?: O) {
  const document = as<Named<'stateKey'>>(Type.String({ description }));
  return custom({ document, holds: 'text', read: (fields, key) => fields.stateKey(key) }, options);
}

/** Keys of the state, by names. */
export function stateKeys<const O extends FieldOptions<Readonly<Record<string, string>>> = None>(
  description: string,
  options?: O,
) {
  const document = as<Readonly<Record<string, Named<'stateKey'>>>>(Type.Record(Type.String(), Type.String(), { description }));
  return custom({ document, holds: 'values', read: (fields, key) => fields.stateKeys(key) }, options);
}

/** Where an edge leads: a node id, or `end`. */
export function target<const O extends FieldOptions<string> = None>(description: string, options?: O) {
  const document = as<NameOr<O, Named<'target'>>>(Type.String({ description }));
  return custom({ document, holds: 'target', read: (fields, key) => fields.name(key) }, options);
}

/** One of several words. */
export function choice<const C extends readonly string[], const O extends FieldOptions<C[number]> = None>(
  choices: C,
  description: string,
  options?: O,
) {
  const document = as<C[number]>(Type.Enum([...choices], { description }));
  return custom({ document, holds: 'text', read: (fields, key): C[number] | undefined => fields.oneOf([key], choices) }, options);
}

/** True or absent; false counts as absent. */
export function flag<const O extends FieldOptions<boolean> = None>(description: string, options?: O) {
  return custom(
    { document: Type.Boolean({ description }), read: (fields, key): boolean | undefined => fields.boolean(key) || undefined },
    options,
  );
}

type Range = { readonly minimum: number; readonly maximum?: number };

export function number<const O extends FieldOptions<number> & Range>(description: string, options: O) {
  const { minimum, maximum } = options;
  const document = Type.Number({ ...rangeOf(options), description });
  return custom({ document, read: (fields, key) => atMost(maximum, fields, key, fields.number([key], minimum)) }, options);
}

export function integer<const O extends FieldOptions<number> & Range>(description: string, options: O) {
  const { minimum, maximum } = options;
  const document = Type.Integer({ ...rangeOf(options), description });
  return custom({ document, read: (fields, key) => atMost(maximum, fields, key, fields.integer([key], minimum)) }, options);
}

const rangeOf = ({ minimum, maximum }: Range) => ({ minimum, ...(maximum === undefined ? {} : { maximum }) });

function atMost(maximum: number | undefined, fields: Fields, key: string, given: number | undefined): number | undefined {
  if (given === undefined || maximum === undefined || given <= maximum) return given;
  fields.error('out_of_range', key, `must be at most ${maximum}`);
  return undefined;
}

/** Seconds, or a number with a unit. */
type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;
type DurationOr<O> = Duration | (O extends { readonly template: string } ? `${string}{{${string}}}${string}` : never);

/** A duration; its key ends with `_secs`. */
export function seconds<const O extends FieldOptions<number> = None>(description: string, options?: O) {
  const isTemplated = (fields: Fields, key: string) => options?.template !== undefined && isTemplate(fields.json(key));
  const schema = Type.Number({ exclusiveMinimum: 0, description });
  const document = as<DurationOr<O>>(durationSchema(description, options?.template));
  return custom(
    {
      schema,
      document,
      holds: 'duration',
      read: (fields, key) => (isTemplated(fields, key) ? undefined : fields.seconds([key])),
    },
    options,
  );
}

/** Is the value a text with an expression? */
export const isTemplate = (value: Json | undefined): value is string => typeof value === 'string' && value.includes('{{');

/** A duration in a document. `template`: the field that a template in its place is read as. */
export const durationSchema = (description: string, template?: string) =>
  Type.Union(
    [
      ...(template === undefined
        ? []
        : [Type.String({ pattern: '\\{\\{', description: `A template, read like that of \`${template}\`.` })]),
      Type.Number({ exclusiveMinimum: 0, description: 'Seconds.' }),
      Type.String({
        pattern: '^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?\\s*$',
        description: 'A number and a unit; without one, seconds.',
      }),
      Type.Object({
        secs: Type.Number({ description: 'Seconds.' }),
        nanos: Type.Optional(Type.Number({ description: 'Nanoseconds, added to the seconds.' })),
      }),
    ],
    { description: `${description} Seconds, a text such as \`90s\`, \`1.5m\`, \`250ms\`, or \`{secs, nanos}\`.` },
  );

/** A list of names. Default: none. */
export function names<const O extends FieldOptions<string[]> = None>(description: string, options?: O) {
  const { holds = 'json', distinct }: FieldOptions = options ?? {};
  const document = as<readonly NameOr<O>[]>(Type.Array(Type.String(), { description }));
  const read = (fields: Fields, key: string) => (distinct ? [...new Set(fields.names(key))] : fields.names(key));
  return custom({ document, holds, read }, { ...options, default: [] as string[] } as unknown as O & {
    readonly default: string[];
  });
}

/** A list of names that says something else when it is empty than when it is absent. */
export function namesIfGiven<const O extends FieldOptions<string[]> = None>(description: string, options?: O) {
  const document = as<readonly NameOr<O>[]>(Type.Array(Type.String(), { description }));
  const read = (fields: Fields, key: string) => (fields.json(key) === undefined ? undefined : fields.names(key));
  return custom({ document, read }, options);
}

/** Values and templates: an object, or one template that gives the whole value. Default: none. */
export function mapping<const O extends FieldOptions<JsonObject | string> = None>(description: string, options?: O) {
  const document = as<MappingMark>(Type.Unsafe({ type: ['object', 'string'], description }));
  const read = (fields: Fields, key: string) => fields.mapping(key);
  return custom({ document, holds: 'values', read }, { ...options, default: {} } as unknown as O & {
    readonly default: JsonObject | string;
  });
}

/** Any value. */
export function json<const O extends FieldOptions<Json> = None>(description: string, options?: O) {
  const document = as<ValueMark>(Type.Unsafe({ description }));
  return custom({ document, holds: 'values', read: (fields, key): Json | undefined => fields.json(key) }, options);
}

/** The JSON Schema of an output: an object, or its JSON text. Any other text, such as the name of a class, is no schema. */
export function outputSchema<const O extends FieldOptions<JsonObject> = None>(description: string, options?: O) {
  const document = as<SchemaMark>(Type.Union([Type.Object({}), Type.String()], { description }));
  const schema = Type.Unsafe({ type: 'object', description });
  return custom({ schema, document, holds: 'schema', read: readOutputSchema }, options);
}

function readOutputSchema(fields: Fields, key: string): JsonObject | undefined {
  const given = fields.json(key);
  if (given === undefined) return undefined;
  if (isObject(given)) return given;
  if (typeof given !== 'string') {
    fields.error('wrong_type', key, 'must be a JSON Schema, as an object or as text');
    return undefined;
  }
  if (!given.trimStart().startsWith('{')) return undefined;
  const parsed = parsedText(given);
  if (isObject(parsed)) return parsed;
  fields.error('bad_output_schema', key, 'looks like JSON but is not');
  return undefined;
}

/** Null for a text that is not JSON. */
function parsedText(given: string): Json {
  try {
    return JSON.parse(given) as Json;
  } catch {
    return null;
  }
}

/** An object with declared fields. */
export function object<F extends FieldTable, const O extends FieldOptions<NormalForm<F>> = None>(
  description: string,
  fields: F,
  options?: O,
) {
  const schema = objectSchema(fields, description);
  const document = as<Nested<F>>(documentSchema(fields, description));
  const read = readerOf(fields);
  return custom(
    {
      schema,
      document,
      read: (outer, key, defaults): NormalForm<F> | undefined => {
        const given = outer.object(key);
        return given === undefined ? undefined : read(outer.inside(key, given), defaults);
      },
    },
    options,
  );
}

/** A field that the runtime adds to the normal form; authors do not write it. */
export function byRuntime<F extends FieldTable>(description: string, fields: F) {
  const document = objectSchema(fields, description);
  return custom({ document, read: (): NormalForm<F> | undefined => undefined }, { only: 'normal form' });
}

type Variant<V extends VariantTable> = {
  [T in keyof V & string]: { type: T } & NormalForm<V[T]['fields']>;
}[keyof V & string];

/** A list of objects of several types: at least one. `one`: what each of them is. */
export function variants<const V extends VariantTable>(one: string, description: string, table: V) {
  const types = Object.keys(table);
  const enumOf = Type.Enum(types, { description: `Type of the ${one}.` });
  const all = Object.assign({}, ...Object.values(table).map(({ fields }) => optionalFields(fields))) as FieldTable;
  const schemas = Object.entries(table).map(([type, { fields, description: says }]) =>
    objectSchema(fields, says, { type: Type.Literal(type) }),
  );
  const readers = new Map(Object.entries(table).map(([type, { fields }]) => [type, readerOf(fields, { type })]));
  const readOne = (given: Fields, defaults: KindDefaults): readonly Variant<V>[] => {
    const type = given.oneOf(['type'], types);
    if (type === undefined && given.json('type') === undefined)
      given.error('missing_key', 'type', `is required: one of ${types.join(', ')}`);
    const read = readers.get(type ?? '');
    return read === undefined ? [] : [read(given, defaults) as unknown as Variant<V>];
  };
  return custom(
    {
      schema: Type.Array(Type.Union(schemas), { minItems: 1, description }),
      document: as<VariantsMark<V>>(Type.Array(documentSchema(all, `A ${one}.`, { type: enumOf }), { description })),
      read(fields, key, defaults): Variant<V>[] {
        const listed = fields.list(key) ?? [];
        if (listed.length === 0) fields.error('missing_key', key, `must list at least one ${one}`);
        return listed.flatMap((raw, i) => {
          if (isObject(raw)) return readOne(fields.inside(`${key}[${i}]`, raw), defaults);
          fields.error('wrong_type', `${key}[${i}]`, 'must be an object with a type');
          return [];
        });
      },
    },
    { required: true, distinctive: true },
  );
}
