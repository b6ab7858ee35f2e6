import type { Json, JsonObject } from './json.ts';

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
