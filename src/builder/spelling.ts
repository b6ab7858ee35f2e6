import type { Json, JsonObject } from '../../machines/json.ts';
import { isStandardSchema, jsonSchemaOf, type Schema } from './schema.ts';

// The builder's objects are workflow files with keys in camelCase. This is where they become files.

/** Keys with values of the author's own, which stay as they are. Fields of nodes say so themselves. */
const DATA = new Set(['input', 'labels', 'kwargs', 'parameters', 'inputSchema', 'env', 'args', 'state', 'payload']);
/** Keys of maps by names of the author's own; the values have keys of ours. */
const BY_NAME = new Set(['models', 'retryPolicies', 'policies', 'servers', 'remoteAgents', 'workflows', 'agents']);

/** An object of the builder with the keys of a workflow file. What JSON does not have is left out. */
export function toFileKeys(value: unknown): Json {
  if (Array.isArray(value)) return value.map(toFileKeys);
  if (typeof value !== 'object' || value === null) return plainJson(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [fileKey(key), fileValue(key, item)]));
}

function fileValue(key: string, value: unknown): Json {
  if (DATA.has(key)) return plainJson(value);
  return BY_NAME.has(key) ? mapValues(value, toFileKeys) : toFileKeys(value);
}

/** A map with other values, by the same names. */
export function mapValues(map: unknown, convert: (value: unknown, name: string) => Json): JsonObject {
  const entries = typeof map === 'object' && map !== null ? Object.entries(map) : [];
  return Object.fromEntries(
    entries.filter(([, value]) => value !== undefined).map(([name, value]) => [name, convert(value, name)]),
  );
}

/** `maxCostUsd` → `max_cost_usd` */
export function fileKey(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A copy as JSON has it. */
export function plainJson(value: unknown): Json {
  const text = JSON.stringify(value);
  return text === undefined ? null : (JSON.parse(text) as Json);
}

/** The JSON Schema of a schema of any library; a text is the name of a class, or a schema as text. */
export function schemaJson(value: unknown): Json {
  if (typeof value !== 'object' && typeof value !== 'function') return plainJson(value);
  if (value === null) return null;
  return isStandardSchema(value as Schema) ? jsonSchemaOf(value as Schema) : plainJson(value);
}
