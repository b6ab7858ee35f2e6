/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** An object of JSON. */
export type JsonObject = { readonly [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The copies of objects that several changes share: each object is copied once, and the copy is then changed in place. Nothing else may have them yet. */
export class Copies {
  readonly #made = new Set<object>();

  /** The object itself if it is such a copy. */
  of(object: JsonObject): Record<string, Json> {
    if (this.#made.has(object)) return object as Record<string, Json>;
    const copy = { ...object };
    this.#made.add(copy);
    return copy;
  }
}

/**
 * Applies a merge patch (RFC 7396): objects merge recursively, null deletes, any other value replaces. Copies only the objects that
 * the patch changes. `copies`: those of patches before it.
 */
export function mergePatch(target: Json | undefined, patch: Json, copies?: Copies): Json {
  if (!isObject(patch)) return patch;
  if (!isObject(target)) return withoutNulls(patch);
  const merged: Record<string, Json> = copies === undefined ? { ...target } : copies.of(target);
  for (const [key, value] of Object.entries(patch)) {
    // An assignment to `__proto__` would change the prototype instead of setting a key.
    if (key === '__proto__') continue;
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(Object.hasOwn(merged, key) ? merged[key] : undefined, value, copies);
  }
  return merged;
}

/** The object itself if there is nothing to leave out: a copy would take long to make, and to compare with the original. */
function withoutNulls(patch: JsonObject): JsonObject {
  let copy: Record<string, Json> | null = null;
  for (const key in patch) {
    const value = patch[key] ?? null;
    const isLeftOut = value === null || key === '__proto__';
    const kept = isObject(value) ? withoutNulls(value) : value;
    if (kept === value && !isLeftOut) continue;
    copy ??= { ...patch };
    if (isLeftOut) delete copy[key];
    else copy[key] = kept;
  }
  return copy ?? patch;
}

/** Applies a patch to an execution's state. A patch that is no object changes nothing. */
export function patchState(state: JsonObject, patch: Json | undefined, copies?: Copies): JsonObject {
  return isObject(patch) ? (mergePatch(state, patch, copies) as JsonObject) : state;
}

/** The smallest merge patch (RFC 7396) that leads from one object to the other. Looks at each value once, whatever it is nested in. */
export function patchBetween(before: JsonObject, after: JsonObject): JsonObject {
  const changes: [string, Json][] = [];
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) changes.push([key, null]);
  for (const [key, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    // Parts that no patch has changed are the same object.
    if (old === value) continue;
    if (isObject(old) && isObject(value)) {
      const inner = patchBetween(old, value);
      if (Object.keys(inner).length > 0) changes.push([key, inner]);
    } else if (!(Array.isArray(old) && Array.isArray(value) && canonicalJson(old) === canonicalJson(value)))
      changes.push([key, value]);
  }
  return Object.fromEntries(changes);
}

/** JSON text with sorted keys, so that equal values have equal texts. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key] as Json)]));
}
