import { isObject, type JsonObject } from '../json.ts';
import type { Workflow } from './workflow.ts';

/** Keywords that may allow keys beside `properties`. */
const OPENING = ['additionalProperties', 'patternProperties', 'unevaluatedProperties', '$ref', 'allOf', 'anyOf', 'oneOf', 'if'];

/**
 * The JSON Schema that the input of a workflow with `strict_input` must fit: its state schema, without other keys unless it allows them.
 * Null if any input will do.
 */
export function inputSchemaOf({
  strict_input,
  state_schema,
}: Pick<Workflow, 'strict_input' | 'state_schema'>): JsonObject | null {
  return strict_input && state_schema !== null ? closed(state_schema) : null;
}

/** Whether the schema says anything about keys. A map of types by key counts as the `properties` of a schema. */
export function describesKeys(schema: JsonObject): boolean {
  const { properties } = closed(schema);
  return (isObject(properties) && Object.keys(properties).length > 0) || OPENING.some((keyword) => isObject(schema[keyword]));
}

/** The schema; a map of types by key becomes its `properties`. */
export function fullSchema(schema: JsonObject): JsonObject {
  const isSchema =
    isObject(schema.properties) || ['type', '$schema', '$ref', 'allOf', 'anyOf', 'oneOf'].some((key) => isKeyword(schema, key));
  if (isSchema) return schema;
  return { properties: Object.fromEntries(Object.entries(schema).map(([key, type]) => [key, isObject(type) ? type : {}])) };
}

function closed(schema: JsonObject): JsonObject {
  const full = fullSchema(schema);
  const open = !isObject(full.properties) || OPENING.some((keyword) => full[keyword] !== undefined);
  return { ...full, type: 'object', ...(open ? {} : { additionalProperties: false }) };
}

/** A state may have a key called `type`; then its value is a schema. */
function isKeyword(schema: JsonObject, key: string): boolean {
  return typeof schema[key] === 'string' || Array.isArray(schema[key]);
}
