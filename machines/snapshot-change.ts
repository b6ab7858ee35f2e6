import { pathOf, pointerOf } from './appended-lists.ts';
import { Copies, isObject, type Json, type JsonObject } from './json.ts';
import { MAX_LEVELS } from './limits.ts';

/**
 * How an object has changed. Exact, unlike a merge patch, in which null removes a key. Pointers lead through objects: a list is set as a whole. Where
 * there is neither on the way, there is an object afterwards.
 */
export interface SnapshotChange extends JsonObject {
  /** Values by JSON pointer (RFC 6901), set in this order after the others were removed; `""` is the whole. */
  readonly set: JsonObject;
  /** JSON pointers of what is gone. */
  readonly removed: readonly string[];
}

/** Keys in the pointers of a change, and of all changes that a worker commits together. */
export const MAX_POINTER_KEYS = 10_000;

/**
 * The change from one object to another; null = they are equal. `before`: null = whatever was there is replaced. What would need more pointers than
 * a worker may commit, or deeper ones, is replaced as well.
 */
export function changeBetween(before: JsonObject | null, after: JsonObject): SnapshotChange | null {
  const whole: SnapshotChange = { set: { '': after }, removed: [] };
  if (before === null) return whole;
  const found: Found = { set: [], removed: [], keys: 0 };
  collect(before, after, '', 1, found);
  const { set, removed, keys } = found;
  if (keys > MAX_POINTER_KEYS) return whole;
  return set.length === 0 && removed.length === 0 ? null : { set: Object.fromEntries(set), removed };
}

interface Found {
  readonly set: [string, Json][];
  readonly removed: string[];
  /** In their pointers; above the limit, the search has ended. */
  keys: number;
}

/** `level`: how many keys the pointers of these objects' members have. */
function collect(before: JsonObject, after: JsonObject, at: string, level: number, found: Found): void {
  const cost = level > MAX_LEVELS ? Number.POSITIVE_INFINITY : level;
  for (const key of Object.keys(before)) {
    if (Object.hasOwn(after, key)) continue;
    found.keys += cost;
    if (found.keys > MAX_POINTER_KEYS) return;
    found.removed.push(at + pointerOf([key]));
  }
  for (const [key, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    if (isObject(old) && isObject(value)) collect(old, value, at + pointerOf([key]), level + 1, found);
    else if (old === undefined || JSON.stringify(old) !== JSON.stringify(value)) {
      found.keys += cost;
      found.set.push([at + pointerOf([key]), value]);
    }
    if (found.keys > MAX_POINTER_KEYS) return;
  }
}

export function pointerKeysOf({ set, removed }: SnapshotChange): number {
  return [...Object.keys(set), ...removed].reduce((keys, pointer) => keys + pathOf(pointer).length, 0);
}

/**
 * The object after a change, or the pointer that leads into a list. `copies`: those of changes before it. A key `__proto__` is never set, as by a merge
 * patch.
 */
export function changed(before: JsonObject, { set, removed }: SnapshotChange, copies = new Copies()): JsonObject | string {
  const { '': whole } = set;
  const object = copies.of(isObject(whole) ? whole : before);
  for (const pointer of removed) if (!assign(object, pointer, undefined, copies)) return pointer;
  for (const [pointer, value] of Object.entries(set))
    if (pointer !== '' && !assign(object, pointer, value, copies)) return pointer;
  return object;
}

/** `value`: undefined = the key is removed. False = the pointer leads into a list. */
function assign(object: Record<string, Json>, pointer: string, value: Json | undefined, copies: Copies): boolean {
  const path = pathOf(pointer);
  const last = path.at(-1) ?? '';
  if (path.includes('__proto__')) return true;
  let part = object;
  for (const key of path.slice(0, -1)) {
    const inner = Object.hasOwn(part, key) ? part[key] : undefined;
    if (Array.isArray(inner)) return false;
    const copy = copies.of(isObject(inner) ? inner : {});
    part[key] = copy;
    part = copy;
  }
  if (value === undefined) delete part[last];
  else part[last] = value;
  return true;
}
