import { pathOf, pointerOf } from './appended-lists.ts';
import { isObject, type Json, type JsonObject } from './json.ts';

/** How an object has changed. Exact, unlike a merge patch, in which null removes a key. */
export interface SnapshotChange extends JsonObject {
  /** Values by JSON pointer (RFC 6901); `""` is the whole. */
  readonly set: JsonObject;
  /** JSON pointers of what is gone. */
  readonly removed: readonly string[];
}

/** The change from one object to another; null = they are equal. `before`: null = whatever was there is replaced. */
export function changeBetween(before: JsonObject | null, after: JsonObject): SnapshotChange | null {
  if (before === null) return { set: { '': after }, removed: [] };
  const set: [string, Json][] = [];
  const removed: string[] = [];
  collect(before, after, [], set, removed);
  return set.length === 0 && removed.length === 0 ? null : { set: Object.fromEntries(set), removed };
}

function collect(before: JsonObject, after: JsonObject, at: readonly string[], set: [string, Json][], removed: string[]): void {
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) removed.push(pointerOf([...at, key]));
  for (const [key, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    const path = [...at, key];
    if (isObject(old) && isObject(value)) collect(old, value, path, set, removed);
    else if (old === undefined || JSON.stringify(old) !== JSON.stringify(value)) set.push([pointerOf(path), value]);
  }
}

/** The object after a change. */
export function changed(before: JsonObject, { set, removed }: SnapshotChange): JsonObject {
  const whole = set[''];
  let now = isObject(whole) ? whole : before;
  for (const pointer of removed) now = withValue(now, pathOf(pointer), undefined);
  for (const [pointer, value] of Object.entries(set)) if (pointer !== '') now = withValue(now, pathOf(pointer), value);
  return now;
}

/** `value`: undefined = the key is removed. */
function withValue(object: JsonObject, [key = '', ...rest]: readonly string[], value: Json | undefined): JsonObject {
  const inner = object[key];
  const next = rest.length === 0 ? value : withValue(isObject(inner) ? inner : {}, rest, value);
  const copy = new Map(Object.entries(object));
  if (next === undefined) copy.delete(key);
  else copy.set(key, next);
  return Object.fromEntries(copy);
}
