import { isObject, type JsonObject } from '../../../machines/json.ts';

/** The Python SDK names the type of a parameter, `string`, in the place of its schema. */
export function withSchemas(parameters: JsonObject): JsonObject {
  const { properties } = parameters;
  if (!isObject(properties) || !Object.values(properties).some((schema) => typeof schema === 'string')) return parameters;
  const schemas = Object.entries(properties).map(([name, schema]) => [
    name,
    typeof schema === 'string' ? { type: schema } : schema,
  ]);
  return { ...parameters, properties: Object.fromEntries(schemas) };
}
