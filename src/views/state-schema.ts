import { fullSchema, inputSchemaOf } from '../../machines/ir/input-schema.ts';
import { isObject, type JsonObject } from '../../machines/json.ts';

/** What a state may hold, and what an execution may be started with. Null = anything. */
export interface StateSchemas {
  /** A state is filled step by step, so it lacks keys, and nodes may write others. */
  readonly state: JsonObject | null;
  readonly input: JsonObject | null;
}

/** The schemas of a workflow document as it was registered. */
export function stateSchemas(document: JsonObject): StateSchemas {
  const schema = documentSchema(document);
  if (schema === null) return { state: null, input: null };
  const { required: _, ...state } = fullSchema(schema);
  const input = inputSchemaOf({ strict_input: document.strict_input === true, state_schema: schema });
  return { state, input: input ?? state };
}

/** The state schema as it was written: an object, or its JSON text. A class name is no schema; null = none. */
export function documentSchema({ state_schema: raw }: JsonObject): JsonObject | null {
  if (isObject(raw)) return Object.keys(raw).length === 0 ? null : raw;
  if (typeof raw !== 'string' || !raw.trimStart().startsWith('{')) return null;
  try {
    const parsed: unknown = JSON.parse(raw);
    return isObject(parsed) ? parsed : null;
  } catch {
    // The registration has warned that it is no JSON.
    return null;
  }
}
