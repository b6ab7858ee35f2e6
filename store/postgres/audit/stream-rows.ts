import type { StreamRange } from '../../audit/digest.ts';
import type { RemovalRecord, StreamContent } from '../../audit/stream-content.ts';
import { outlineEntry } from '../../log/decode.ts';
import { type LogEntry, MAX_EVENTS } from '../../log/entry.ts';
import type { StoredEvent } from '../../log/stored-event.ts';
import { typeTokens } from '../../log/type-tokens.ts';
import type { ExecutionRow } from '../../port/executions.ts';
import type { Queries } from '../connections.ts';
import { ENTRY_RANGES, REMOVED_EXECUTION } from '../queries/audit.ts';
import { CONTROL_EVENTS } from '../queries/control.ts';
import { EXECUTIONS_BY_ID } from '../queries/executions.ts';
import { first } from '../runtime-reads.ts';

interface EntryRow extends LogEntry {
  /** Of its stream, from 1 on. */
  readonly place: number;
  /** Searches go by this column, which no digest covers: an entry in which it was changed does not count as the sealed one. */
  readonly types: string;
}

const EMPTY: StreamContent = { created: null, events: [], entries: [] };

/** Reads the rows that audit blocks seal. */
export class StreamRows {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /** The contents in the order of the streams. Those of executions are read together, since each commit has many short ones. */
  async readAll(streams: readonly StreamRange[]): Promise<readonly StreamContent[]> {
    const [entries, heads] = await Promise.all([this.#entries(streams), this.#heads(streams)]);
    return Promise.all(
      streams.map(async ({ tenantId, executionId, firstSeq, lastSeq }, index) => {
        if (executionId === null) {
          const events = await this.#queries.query<StoredEvent>(CONTROL_EVENTS, [tenantId, firstSeq, lastSeq]);
          return { ...EMPTY, events };
        }
        const head = firstSeq === 1 ? heads.get(executionId) : undefined;
        const created = head?.tenantId === tenantId ? head : null;
        return { created, events: [], entries: entries.get(index + 1) ?? [] };
      }),
    );
  }

  /** By the place of the stream, from 1 on. */
  async #entries(streams: readonly StreamRange[]): Promise<ReadonlyMap<number, readonly LogEntry[]>> {
    if (streams.every(({ executionId }) => executionId === null)) return new Map();
    const rows = await this.#queries.query<EntryRow>(ENTRY_RANGES, [
      streams.map(({ executionId }) => executionId ?? ''),
      streams.map(({ tenantId }) => tenantId),
      streams.map(({ firstSeq }) => firstSeq),
      streams.map(({ lastSeq }) => lastSeq),
      streams.map(({ lastSeq }) => lastSeq + MAX_EVENTS - 1),
    ]);
    const entries = new Map<number, LogEntry[]>();
    for (const { place, types, ...entry } of rows) {
      if (typeTokens(outlineEntry(entry)) !== types) continue;
      const of = entries.get(place);
      if (of === undefined) entries.set(place, [entry]);
      else of.push(entry);
    }
    return entries;
  }

  /** The executions that begin in the streams, by id. */
  async #heads(streams: readonly StreamRange[]): Promise<ReadonlyMap<string, ExecutionRow>> {
    const ids = streams.flatMap(({ executionId, firstSeq }) => (executionId !== null && firstSeq === 1 ? [executionId] : []));
    const rows = ids.length === 0 ? [] : await this.#queries.query<ExecutionRow>(EXECUTIONS_BY_ID, [ids]);
    return new Map(rows.map((row) => [row.id, row]));
  }

  async removal(tenantId: string, executionId: string): Promise<RemovalRecord | null> {
    return first(await this.#queries.query<RemovalRecord>(REMOVED_EXECUTION, [executionId, tenantId]));
  }

  /** One control event; null when there is none. */
  async controlEvent(tenantId: string, seq: number): Promise<StoredEvent | null> {
    return first(await this.#queries.query<StoredEvent>(CONTROL_EVENTS, [tenantId, seq, seq]));
  }
}
