import { isObject, type Json } from './json.ts';

/**
 * The approximate length of a value's JSON text, at least a sixth of its bytes. Counting stops above `limit`, so that parts which are
 * shared, and so repeated in the text, cannot make it take long.
 */
export function charsUpTo(value: Json, limit: number): number {
  let chars = 0;
  const left: Json[] = [value];
  for (let part = left.pop(); part !== undefined && chars <= limit; part = left.pop()) {
    if (typeof part === 'string') chars += part.length + 2;
    else if (Array.isArray(part)) {
      chars += part.length + 2;
      for (const item of part as readonly Json[]) left.push(item);
    } else if (isObject(part)) {
      chars += 2;
      for (const key in part) {
        chars += key.length + 4;
        left.push(part[key] ?? null);
      }
    } else chars += 5;
  }
  return chars;
}
