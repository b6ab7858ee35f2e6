import { pathOf } from '../../appended-lists.ts';
import { Copies, isObject, type Json, type JsonObject, patchState } from '../../json.ts';
import { admittedPatch } from '../../program/internal-state.ts';
import type { ProgramTables } from '../../program/tables.ts';
import { changed, type SnapshotChange } from '../../snapshot-change.ts';
import type { Draft } from './context.ts';

/** Lists that are remembered; others are stored whole. */
const MAX_LISTS = 64;

/** What patches make of the state, and what they may not. */
export class StatePatches {
  readonly #tables: ProgramTables;
  readonly #draft: Draft;
  #ignored: Set<string> | null = null;
  /** Of the state, by the operations of this step. */
  #copies = new Copies();

  constructor(tables: ProgramTables, draft: Draft) {
    this.#tables = tables;
    this.#draft = draft;
  }

  /** What the state takes of a patch that is given. `writer`: the node whose result it is; null = a caller gives it. */
  admitted(patch: Json, writer: string | null): Json {
    const { internalState } = this.#tables;
    if (internalState.size === 0) return patch;
    this.#ignored ??= new Set();
    return admittedPatch(internalState, patch, writer, this.#ignored);
  }

  noteIgnored(keys: ReadonlySet<string>): void {
    if (keys.size > 0) this.#ignored = new Set(keys);
  }

  /** State keys that were given and that only the runtime writes. */
  get ignored(): readonly string[] {
    return this.#ignored === null ? NONE : [...this.#ignored];
  }

  apply(patch: Json | undefined, copies?: Copies): void {
    const { now } = this.#draft;
    if (now.lists !== undefined && isObject(patch)) now.lists = listsBesides(now.lists, patch);
    now.state = patchState(now.state, patch, copies);
  }

  /** Applies what an operation exposes. Many of them copy the state once. */
  expose(patch: Json): void {
    this.apply(patch, this.#copies);
  }

  /** Changes the state, or the value of one of its keys, exactly. Many changes copy the state once. Returns the pointer that does not fit; null = all do. */
  change(key: string | null, change: SnapshotChange): string | null {
    const { now } = this.#draft;
    delete now.lists;
    const before = key === null ? now.state : now.state[key];
    const after = changed(isObject(before) ? before : {}, change, this.#copies);
    if (typeof after === 'string') return after;
    if (key === null) now.state = after;
    else if (after !== before) {
      const state = this.#copies.of(now.state);
      state[key] = after;
      now.state = state;
    }
    return null;
  }

  /** The state as it is now, for an event. Operations that follow copy it again. */
  keep(): JsonObject {
    this.#copies = new Copies();
    return this.#draft.now.state;
  }

  /** Remembers which events have lists of the state whole. */
  listsStored(lists: readonly (readonly [pointer: string, since: number])[]): void {
    if (lists.length === 0) return;
    const known = Object.entries(this.#draft.now.lists ?? {});
    this.#draft.now.lists = Object.fromEntries([...known, ...lists].slice(-MAX_LISTS));
  }
}

const NONE: readonly never[] = [];

/** The lists that a patch does not touch. */
function listsBesides(lists: Readonly<Record<string, number>>, patch: JsonObject): Readonly<Record<string, number>> {
  const kept = Object.entries(lists).filter(([pointer]) => !touches(patch, pathOf(pointer)));
  return kept.length === Object.keys(lists).length ? lists : Object.fromEntries(kept);
}

/** Does a merge patch change the value at a place, or one around it? */
function touches(patch: JsonObject, path: readonly string[]): boolean {
  let part: Json = patch;
  for (const key of path) {
    if (!isObject(part)) return true;
    if (!Object.hasOwn(part, key)) return false;
    part = part[key] ?? null;
  }
  return true;
}
