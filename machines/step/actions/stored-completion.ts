import {
  type Appended,
  type AppendedList,
  type Path,
  partAt,
  placesOf,
  pointerOf,
  wholeList,
  withPart,
} from '../../appended-lists.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import { charsUpTo } from '../../json-size.ts';
import { isSameJson } from '../../same-json.ts';
import { own } from '../context/context.ts';
import type { StepContext } from '../context/step-context.ts';
import { completedPatch, type StatePatch } from './state-patch.ts';

/** Characters that the items kept from the state have at least: fewer are not worth a reference. */
const MIN_KEPT_CHARS = 512;
/**
 * A list is stored whole again when the events since it last was outnumber its kept items by this factor, and by this number. So a reader that restores
 * it reads events in proportion to its length, and all whole copies together are a fraction of the log. An agent logs about nine events for a message.
 */
const MAX_EVENTS_PER_ITEM = 16;
const MIN_EVENTS_BETWEEN_WHOLE = 256;
/** Lists deeper in a patch are stored as they are. */
const MAX_DEPTH = 4;

/** A completion as its event stores it, and as it changes the run: there, lists share their items with the state. */
export interface StoredCompletion {
  readonly data: Record<string, Json>;
  readonly output: Json;
  readonly patch: Json;
  /** The lists that repeat items of the state, and the events that have them whole. */
  readonly lists: readonly (readonly [pointer: string, since: number])[];
}

const NO_LISTS: readonly never[] = [];

/**
 * What `node_completed` stores of a completion, given with all its lists. Of a list that begins with items of the one that it replaces in the state,
 * only the other items are stored. `logged`: what the log has, in a replay; null = all lists are stored whole.
 */
export function storedCompletion(
  step: StepContext,
  node: string,
  data: Record<string, Json>,
  patch: StatePatch,
  logged: Appended | null | undefined,
): StoredCompletion {
  const { output = null } = data;
  const root = completedPatch(data, node);
  const extensions = isObject(root) ? extensionsIn(root, step.now.state, [], null) : null;
  if (extensions === null) return { data, output, patch: root, lists: NO_LISTS };
  const sequence = step.sequence + 1;
  const appended: Record<string, AppendedList> = {};
  const lists: [string, number][] = [];
  let shared: JsonObject = data;
  let stored: JsonObject = data;
  for (const { path, before, list, kept } of extensions) {
    const pointer = pointerOf(path);
    const items = list.slice(kept);
    const inOutput = patch.kind === 'given' && isSameJson(partAt(output, path), list);
    const since = logged === undefined ? sinceOf(step, pointer, kept, sequence) : (logged?.[pointer]?.since ?? null);
    const whole = wholeList(before, kept, items, pointer);
    for (const place of placesOf(data, path, inOutput)) {
      shared = withPart(shared, place, whole) as JsonObject;
      if (since !== null) stored = withPart(stored, place, items) as JsonObject;
    }
    if (since === null) lists.push([pointer, sequence]);
    else {
      appended[pointer] = { kept, since, ...(inOutput ? { in_output: true } : {}) };
      lists.push([pointer, since]);
    }
  }
  return {
    data:
      Object.keys(appended).length === 0 ? { ...stored } : Object.assign({}, stored, { appended: appended as unknown as Json }),
    output: shared.output ?? null,
    patch: completedPatch(shared, node),
    lists,
  };
}

/** A list of a patch that begins with items of the list at the same place of the state. */
interface Extension {
  readonly path: Path;
  readonly before: readonly Json[];
  readonly list: readonly Json[];
  readonly kept: number;
}

/** Adds to those `found` before; null = none, as most patches have, so that nothing is allocated for them. */
function extensionsIn(patch: JsonObject, state: JsonObject, path: Path, found: Extension[] | null): Extension[] | null {
  let all = found;
  for (const key in patch) {
    const value = patch[key];
    if (typeof value !== 'object' || value === null) continue;
    const before = own(state, key);
    if (Array.isArray(value)) {
      const kept = Array.isArray(before) ? keptItems(before, value) : 0;
      if (kept === 0) continue;
      all ??= [];
      all.push({ path: [...path, key], before: before as readonly Json[], list: value, kept });
    } else if (isObject(before) && path.length + 1 < MAX_DEPTH) {
      all = extensionsIn(value as JsonObject, before, [...path, key], all);
    }
  }
  return all;
}

/** How many items a list begins with that another one has, too; 0 = not enough to matter. */
function keptItems(before: readonly Json[], list: readonly Json[]): number {
  let kept = 0;
  while (kept < before.length && kept < list.length && isSameJson(before[kept], list[kept])) kept += 1;
  return kept > 0 && charsUpTo(before.slice(0, kept), MIN_KEPT_CHARS) > MIN_KEPT_CHARS ? kept : 0;
}

/** The event to which the list may refer; null = it is stored whole. */
function sinceOf(step: StepContext, pointer: string, kept: number, sequence: number): number | null {
  const since = own(step.now.lists ?? {}, pointer);
  if (since === undefined || sequence - since > Math.max(MIN_EVENTS_BETWEEN_WHOLE, MAX_EVENTS_PER_ITEM * kept)) return null;
  return since;
}
