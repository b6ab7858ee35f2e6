import type { Cooperative } from '../cooperative.ts';
import type { Finder, Span } from './detectors.ts';

/** Code units that a finder looks at before other work may go on: less than a millisecond. */
const WINDOW = 1_024;
const MERGED_AT_ONCE = 4_096;

const NONE: readonly Span[] = [];

/** What the finders find in a text: in order, without overlaps. */
export function spansIn(text: string, finders: readonly Finder[]): readonly Span[] {
  const found: Span[] = [];
  for (const find of finders) for (let at = 0; at < text.length; ) at = find(text, at, text.length, found);
  if (found.length < 2) return found.length === 0 ? NONE : found;
  found.sort((a, b) => a.start - b.start);
  const union: Span[] = [];
  for (const span of found) add(union, span);
  return union;
}

/** The same, window by window. */
export function* spansInWindows(text: string, finders: readonly Finder[]): Cooperative<readonly Span[]> {
  const lists: Span[][] = [];
  for (const find of finders) {
    const found: Span[] = [];
    for (let at = 0; at < text.length; yield) at = find(text, at, Math.min(at + WINDOW, text.length), found);
    if (found.length > 0) lists.push(found);
  }
  const union: Span[] = [];
  const next = lists.map(() => 0);
  for (let merged = 1; ; merged += 1) {
    let first = -1;
    for (const [i, list] of lists.entries()) {
      const { start = Number.POSITIVE_INFINITY } = list[next[i] as number] ?? {};
      if (start < (lists[first]?.[next[first] as number]?.start ?? Number.POSITIVE_INFINITY)) first = i;
    }
    const span = lists[first]?.[next[first] as number];
    if (span === undefined) return union;
    add(union, span);
    next[first] = (next[first] as number) + 1;
    if (merged % MERGED_AT_ONCE === 0) yield;
  }
}

/** Adds a span that begins at or behind the last one. */
function add(union: Span[], span: Span): void {
  const last = union.at(-1);
  if (last === undefined || span.start >= last.end) union.push(span);
  else if (span.end > last.end) union[union.length - 1] = { start: last.start, end: span.end };
}
