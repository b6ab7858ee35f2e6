import { isObject, type Json, type JsonObject } from './json.ts';

/**
 * `appended` of `node_completed`: lists of which the event has only the items that the state before it did not have, by JSON pointer into the state
 * patch. A list is the first `kept` items of the one in the state before, and then those of the event. The event at sequence `since` has the list whole.
 */
export type Appended = Readonly<Record<string, AppendedList>>;

export interface AppendedList {
  readonly kept: number;
  readonly since: number;
  /** The output has the same list, at the same place as the patch, without the same items. Absent = the patch is derived from the output, or has it alone. */
  readonly in_output?: true;
}

/** A place inside a value: keys of nested objects. */
export type Path = readonly string[];

export function appendedIn(data: JsonObject): Appended | null {
  return isObject(data.appended) ? (data.appended as unknown as Appended) : null;
}

/** JSON pointer (RFC 6901). */
export function pointerOf(path: Path): string {
  return path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Undefined = there is nothing at that place. */
export function partAt(value: Json | undefined, path: Path): Json | undefined {
  let part = value;
  for (const key of path) part = isObject(part) && Object.hasOwn(part, key) ? part[key] : undefined;
  return part;
}

/** The value with another part at a place that exists. Copies only the objects around it. */
export function withPart(value: Json, path: Path, part: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return part;
  const object = value as JsonObject;
  return { ...object, [key]: withPart(object[key] ?? null, rest, part) };
}

/** Where the data of `node_completed` has the list at `path` of its patch: keys from `output` or `state_patch` on. */
export function placesOf(data: JsonObject, path: Path, inOutput: boolean): readonly Path[] {
  if (Object.hasOwn(data, 'state_patch')) {
    const inPatch = ['state_patch', ...path];
    return inOutput ? [inPatch, ['output', ...path]] : [inPatch];
  }
  // Under the node's id, or under its output key, the patch has the output itself.
  return [['output', ...(data.patch_from === 'output' ? path : path.slice(1))]];
}

/** The data with its lists whole, and without `appended`. `before`: the list at that place of the state before the event. Throws `TypeError` if it is none. */
export function withWholeLists(data: JsonObject, before: (path: Path, since: number) => Json | undefined): JsonObject {
  const appended = appendedIn(data);
  if (appended === null) return data;
  const { appended: _appended, ...rest } = data;
  let whole: JsonObject = rest;
  for (const [pointer, { kept, since, in_output }] of Object.entries(appended)) {
    const path = pathOf(pointer);
    const places = placesOf(whole, path, in_output === true);
    const items = partAt(whole, places[0] as Path);
    const list = wholeList(before(path, since), kept, items, pointer);
    for (const place of places) whole = withPart(whole, place, list) as JsonObject;
  }
  return whole;
}

export function wholeList(before: Json | undefined, kept: number, items: Json | undefined, pointer: string): readonly Json[] {
  if (!Array.isArray(before) || before.length < kept || !Array.isArray(items))
    throw new TypeError(`the state has no list at ${pointer} to which items can be appended`);
  return [...(before as readonly Json[]).slice(0, kept), ...(items as readonly Json[])];
}
