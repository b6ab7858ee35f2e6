import { MAX_EVENTS } from '../log/entry.ts';

/** An entry with events that match a filter, or one action on the control plane. */
export interface FoundEntry {
  readonly atMs: number;
  /** 0 = the control log. */
  readonly source: 0 | 1;
  /** Of its last event; an entry of n events has the n positions up to there. */
  readonly position: number;
  readonly events: number;
  /** How many of its events match. */
  readonly matches: number;
}

/** The place of an event. */
export type AuditEntryRef = Pick<FoundEntry, 'atMs' | 'source' | 'position'>;

export interface EventSelection<Entry extends FoundEntry> {
  readonly limit: number;
  /** How many matches to skip. */
  readonly offset: number;
  /** Whether the event comes after the end of the page before: the events of an entry that do are its first ones. `back`: 0 = its last event. */
  isAfterCursor(entry: Entry, back: number): boolean;
  /** For each event of the entry, in order, whether it matches. Null = all do. */
  matching(entry: Entry): readonly boolean[] | null;
}

/** Selects events of entries, both newest first. */
export function newestFirst<Entry extends FoundEntry>(
  entries: Iterable<Entry>,
  { limit, offset, isAfterCursor, matching }: EventSelection<Entry>,
): readonly AuditEntryRef[] {
  const refs: AuditEntryRef[] = [];
  let left = offset;
  for (const entry of entries) {
    if (refs.length >= limit) break;
    if (left >= entry.matches && isAfterCursor(entry, 0)) {
      left -= entry.matches;
      continue;
    }
    const matches = matching(entry);
    // A damaged entry may claim any number.
    const events = Math.min(entry.events, MAX_EVENTS);
    for (let back = 0; back < events && refs.length < limit; back += 1) {
      if (matches?.[events - 1 - back] === false || !isAfterCursor(entry, back)) continue;
      if (left > 0) left -= 1;
      else refs.push({ atMs: entry.atMs, source: entry.source, position: entry.position - back });
    }
  }
  return refs;
}
