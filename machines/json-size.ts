import type { Json, JsonObject } from './json.ts';

type Nested = JsonObject | readonly Json[];

/** The counts of large values: the state, the events and the outputs of a step share them, and no value is ever changed. */
const large = new WeakMap<Nested, number>();
const LARGE_CHARS = 4_096;

/**
 * The approximate length of a value's JSON text, at least a sixth of its bytes. Counting stops above `limit`, so that parts which are
 * shared, and so repeated in the text, cannot make it take long.
 */
export function charsUpTo(value: Json, limit: number): number {
  if (typeof value !== 'object' || value === null) return count(value, []);
  // A list that begins with room for one: most values have no more nested parts at a time.
  const nested: Nested[] = [value];
  let chars = 0;
  for (let part = nested.pop(); part !== undefined && chars <= limit; part = nested.pop()) {
    const known = large.get(part);
    if (known !== undefined) chars += known;
    else if (Array.isArray(part)) {
      chars += part.length + 2;
      for (const item of part as readonly Json[]) chars += count(item, nested);
    } else {
      chars += 2;
      for (const key in part) chars += key.length + 4 + count((part as JsonObject)[key] ?? null, nested);
    }
  }
  if (chars >= LARGE_CHARS && chars <= limit) large.set(value, chars);
  return chars;
}

/** Notes the count of a value whose parts were counted one by one; NaN = it is not known. */
export function noteChars(value: Nested, chars: number): void {
  if (chars >= LARGE_CHARS) large.set(value, chars);
  else large.delete(value);
}

/** Counts a primitive value. An object or list is added to `nested` and counts as 0. */
function count(value: Json, nested: Nested[]): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 5;
  nested.push(value);
  return 0;
}
