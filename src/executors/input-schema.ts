import type { Json, JsonObject } from '../../machines/json.ts';
import { SchemaCheck, UnusableSchema } from './schema/schema-check.ts';

/** What is wrong with an input, each problem with its key: `amount must be number; unknown key "nmae"; did you mean "name"?`. Null = it fits. */
export type CheckInput = (input: Json) => Promise<string | null>;

/** The check of a JSON Schema, compiled at its first use. Rejects if the schema cannot be used: `inputSchemaProblem` tells beforehand. */
export function inputCheck(schema: JsonObject): CheckInput {
  const check = new SchemaCheck(schema, 'input');
  return (input) => check.problemOf(input);
}

/** Why the schema cannot be used; null = it can. */
export async function inputSchemaProblem(schema: JsonObject): Promise<string | null> {
  try {
    await new SchemaCheck(schema, 'input').assertUsable();
    return null;
  } catch (error) {
    if (error instanceof UnusableSchema) return error.message;
    throw error;
  }
}
