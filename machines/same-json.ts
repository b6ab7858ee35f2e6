import type { Json, JsonObject } from './json.ts';

/**
 * Do two values have the same JSON text? False may also mean that it is not certain, e.g. for a value that is `undefined`: then the texts must be
 * compared. Most values are the same object, so that this is much faster.
 */
export function isSameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return a !== undefined && (typeof a !== 'number' || Number.isFinite(a));
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (!Array.isArray(a)) return !Array.isArray(b) && isSameObject(a as JsonObject, b as JsonObject);
  if (!Array.isArray(b) || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (!isSameJson(a[i], b[i])) return false;
  return true;
}

function isSameObject(a: JsonObject, b: JsonObject): boolean {
  const keys = Object.keys(b);
  let at = 0;
  for (const key in a) {
    if (key !== keys[at] || !isSameJson(a[key], b[key])) return false;
    at += 1;
  }
  return at === keys.length;
}
