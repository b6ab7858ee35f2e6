import { Type } from 'typebox';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';

/** Fields that any kind with an output may carry. */
interface OutputFields {
  readonly output_key?: string;
  readonly output_to_state?: Readonly<Record<string, string>>;
  readonly fallback_node?: string;
  readonly discard_output?: boolean;
}

export const OUTPUT_PROPERTIES = {
  output_key: Type.Optional(
    Type.String({
      description: 'State key that receives the output. Default: the rule of the kind, which is usually the node id.',
    }),
  ),
  output_to_state: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description:
        'State keys by the fields of the output that they receive. An output without such a field is received whole by `result`, or by the only key.',
    }),
  ),
  fallback_node: Type.Optional(
    Type.String({
      description: 'Node to continue with, or `end`, when the node has failed for good. The failure is handled then.',
    }),
  ),
  discard_output: Type.Optional(
    Type.Boolean({
      description: 'Whether the state stays as it is: only conditions, templates and joins see the output. Default: false.',
    }),
  ),
};

/** Keys of `OUTPUT_PROPERTIES`. */
export const OUTPUT_KEYS: readonly string[] = Object.keys(OUTPUT_PROPERTIES);

export function readOutputFields(fields: Fields): OutputFields {
  return {
    ...optional('output_key', fields.stateKey('output_key')),
    ...optional('output_to_state', fields.stateKeys('output_to_state')),
    ...optional('fallback_node', fields.name('fallback_node', 'fallback')),
    ...(fields.boolean('discard_output') === true ? { discard_output: true } : {}),
  };
}

/** The JSON Schema of an output: an object, or its JSON text. Any other text, such as the name of a class, is no schema. */
export function readOutputSchema(fields: Fields): JsonObject | undefined {
  const given = fields.json('output_schema');
  if (given === undefined) return undefined;
  if (isObject(given)) return given;
  if (typeof given !== 'string') {
    fields.error('wrong_type', 'output_schema', 'must be a JSON Schema, as an object or as text');
    return undefined;
  }
  if (!given.trimStart().startsWith('{')) return undefined;
  const parsed = parsedText(given);
  if (isObject(parsed)) return parsed;
  fields.error('bad_output_schema', 'output_schema', 'looks like JSON but is not');
  return undefined;
}

/** Null for a text that is not JSON. */
function parsedText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

/** Values and templates rendered into an attempt's input: an object, or one template that gives the whole value. */
export const mapping = (description: string) => Type.Unsafe<JsonObject | string>({ type: ['object', 'string'], description });

export const INPUT_MAPPING = mapping(
  'What each attempt is given: an object of values and `{{ … }}` templates, or one template for the whole value. Empty: the whole state.',
);

/** Null for a mapping without entries, which means the whole state. */
export function mappingUnlessEmpty(given: JsonObject | string): Json | null {
  return typeof given === 'string' || Object.keys(given).length > 0 ? given : null;
}

/** A duration in a document. */
export const duration = (description: string) =>
  Type.Union(
    [
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

/** The targets among `kind`'s keys that the author named, in the order of `roles`. */
export function namedTargets<R extends string>(
  kind: { readonly [P in R]?: string },
  ...roles: readonly R[]
): { role: R; to: string }[] {
  return roles.flatMap((role) => {
    const to = kind[role];
    return to === undefined ? [] : [{ role, to }];
  });
}
