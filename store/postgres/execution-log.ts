import { decodeEntry, decodeStored } from '../log/decode.ts';
import type { LogEntry } from '../log/entry.ts';
import { nameText } from '../log/shapes.ts';
import { typeToken } from '../log/type-tokens.ts';
import type { EventPage, EventPageRequest, EventRow } from '../port/executions.ts';
import type { Connections } from './connections.ts';
import { listEntries } from './queries/log.ts';

/** Reads the log of one execution. */
export class ExecutionLog {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async page(executionId: string, request: EventPageRequest): Promise<EventPage> {
    const { type, nodeId, limit, maxChars = Number.MAX_SAFE_INTEGER } = request;
    const statement = listEntries({ type: type !== undefined, text: nodeId !== undefined });
    const filters = [...(type === undefined ? [] : [typeToken(type)]), ...(nodeId === undefined ? [] : [nameText(nodeId)])];
    for (let { after } = request; ; ) {
      const values = [executionId, after, limit, maxChars, ...filters];
      const entries = await this.#connections.query<LogEntry>(statement, values);
      const page = pageOf(entries, request);
      const last = entries.at(-1);
      if (page.next !== null || last === undefined || isLastPage(entries, limit, maxChars)) return page;
      if (page.rows.length > 0) return { rows: page.rows, next: last.seq };
      // Of a node, an entry may contain the name without having an event.
      after = last.seq;
    }
  }
}

function isLastPage(entries: readonly LogEntry[], limit: number, maxBytes: number): boolean {
  return entries.length < limit && entries.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0) <= maxBytes;
}

/** `next` is null unless the page ends before the last event. */
function pageOf(entries: readonly LogEntry[], request: EventPageRequest): EventPage {
  const { limit, maxChars = Number.MAX_SAFE_INTEGER } = request;
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
