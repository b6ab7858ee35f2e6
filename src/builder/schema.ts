import type { Static, TSchema } from 'typebox';
import type { XStatic } from 'typebox/schema';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';

/**
 * A schema of any library that implements Standard Schema: zod, valibot, arktype …
 *
 * @see https://standardschema.dev
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  };
}

/** What a schema says of a value. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** What is wrong with a value, as a schema of a library says it. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A TypeBox schema, a schema of a library that implements Standard Schema, or a JSON Schema written `as const`. */
export type Schema = TSchema | StandardSchema;

/** A JSON Schema, whatever it says. */
export interface AnySchema {
  readonly static: unknown;
}

/** The type of a value before the schema has validated it: without its defaults and transformations. */
export type InferInput<S> = [S] extends [StandardSchema]
  ? NonNullable<S['~standard']['types']>['input']
  : [S] extends [{ readonly static: infer T }]
    ? T
    : [S] extends [{ readonly '~kind': string }]
      ? Static<S>
      : XStatic<S>;

/** The type of a value that the schema has validated. */
export type InferOutput<S> = [S] extends [StandardSchema] ? NonNullable<S['~standard']['types']>['output'] : InferInput<S>;

/** What is wrong with a value, and where: `['lines', 0, 'sku']`; an empty path is the value itself. */
export interface SchemaIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The value as the schema gives it, or what is wrong with it. */
export type Validation =
  | { readonly value: unknown; readonly issues: null }
  | { readonly issues: readonly [SchemaIssue, ...SchemaIssue[]] };

export function isStandardSchema(schema: Schema): schema is StandardSchema {
  return '~standard' in schema;
}

/**
 * The JSON Schema of the values that a schema accepts; null when its library has none (`~standard.jsonSchema`; zod has it since 4.2),
 * so that the schema is known to TypeScript and to the validation only.
 */
export function jsonSchemaOf(schema: Schema): JsonObject | null {
  if (!isStandardSchema(schema)) return plain(schema);
  const { jsonSchema } = schema['~standard'] as { readonly jsonSchema?: JsonSchemaConverter };
  if (jsonSchema === undefined) return null;
  const { $schema: _, ...content } = plain(jsonSchema.input({ target: 'draft-2020-12' })) ?? {};
  return content;
}

/** @see https://standardschema.dev/json-schema */
interface JsonSchemaConverter {
  input(options: { readonly target: 'draft-2020-12' }): object;
}

/** A copy without what JSON does not have. */
function plain(schema: object): JsonObject | null {
  const copy = JSON.parse(JSON.stringify(schema)) as Json;
  return isObject(copy) ? copy : null;
}

/** Reads the issues of a library that implements Standard Schema. */
export function standardIssue({ message, path = [] }: StandardIssue): SchemaIssue {
  const keys = path.map((segment) => (typeof segment === 'object' ? segment.key : segment));
  return { path: keys.map((key) => (typeof key === 'number' ? key : String(key))), message };
}
