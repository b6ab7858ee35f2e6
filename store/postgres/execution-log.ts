import type { LogEntry } from '../log/entry.ts';
import { pageOf } from '../log/event-page.ts';
import { nameText } from '../log/shapes.ts';
import { typeToken } from '../log/type-tokens.ts';
import type { EventPage, EventPageRequest } from '../port/executions.ts';
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
