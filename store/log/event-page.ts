import type { EventPage, EventPageRequest, EventRow } from '../port/executions.ts';
import { decodeEntry, decodeStored } from './decode.ts';
import type { LogEntry } from './entry.ts';

/** The page that entries in order of sequence contain; takes no more entries than it needs. `next` is null when it takes all their events. */
export function pageOf(entries: Iterable<LogEntry>, request: EventPageRequest): EventPage {
  const { limit, maxChars = Number.POSITIVE_INFINITY } = request;
  const rows: EventRow[] = [];
  let chars = 0;
  for (const entry of entries) {
    // Where the page may end within the entry, the length of each event's data matters.
    const lengths = chars + entry.body.length > maxChars ? dataLengths(entry) : null;
    for (const event of decodeEntry(entry)) {
      if (!isWanted(event, request)) continue;
      rows.push(event);
      chars += lengths?.get(event.seq) ?? 0;
      if (rows.length === limit || chars > maxChars) return { rows, next: event.seq };
    }
    if (lengths === null) chars += entry.body.length;
  }
  return { rows, next: null };
}

function isWanted({ seq, type, nodeId }: EventRow, wanted: EventPageRequest): boolean {
  return (
    seq > wanted.after &&
    (wanted.type === undefined || type === wanted.type) &&
    (wanted.nodeId === undefined || nodeId === wanted.nodeId)
  );
}

function dataLengths(entry: LogEntry): ReadonlyMap<number, number> {
  return new Map(decodeStored(entry).map(({ seq, data }) => [seq, data.length]));
}
