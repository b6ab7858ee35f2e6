import { setImmediate } from 'node:timers/promises';
import type { EventType, LogEvent } from '../../../machines/events/index.ts';
import type { Json } from '../../../machines/json.ts';
import { charsUpTo } from '../../../machines/json-size.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { EventPage, EventRow } from '../../../store/port/executions.ts';
import { RuntimeError } from '../errors.ts';
import { withOriginals } from '../redaction/original-events.ts';
import type { Slice } from '../scheduling/time-slices.ts';
import { offloadedReplayBytes, restorePayload, withoutOffloadedState } from './offloaded-payloads.ts';

const EVENTS_PER_PAGE = 500;
/** Bounds the memory of a page, since one event may hold megabytes. */
const PAGE_CHARS = 1024 * 1024;

export type TimedEvent = LogEvent & { readonly at_ms: number };

interface LogFilter {
  readonly after?: number;
  readonly type?: string;
  readonly nodeId?: string;
  readonly limit?: number;
  readonly pageChars?: number;
  /** Events as the steps logged them, also where the data policy keeps that out of the log. */
  readonly original?: boolean;
}

/**
 * Reads the log of an execution, from the event after sequence `after`. Yields to the event loop between pages. With a `slice`,
 * reading and processing the events count as a long computation.
 */
export async function* readLog(
  store: ExecutionStore,
  executionId: string,
  filter: LogFilter,
  slice?: Slice,
): AsyncGenerator<EventRow> {
  for await (const rows of readPages(store, executionId, filter, slice)) {
    for (const row of rows) {
      const next = slice?.next() ?? null;
      if (next !== null) await next;
      yield row;
    }
  }
}

/** The same, page by page. */
export async function* readPages(
  store: ExecutionStore,
  executionId: string,
  filter: LogFilter,
  slice?: Slice,
): AsyncGenerator<readonly EventRow[]> {
  const maxChars = filter.pageChars ?? PAGE_CHARS;
  let after: number | null = filter.after ?? 0;
  let left = filter.limit ?? Number.POSITIVE_INFINITY;
  while (after !== null && left > 0) {
    const limit = Math.min(EVENTS_PER_PAGE, left);
    const turn = slice?.next() ?? null;
    if (turn !== null) await turn;
    const page: EventPage = await store.events(executionId, {
      after,
      limit,
      maxChars,
      ...(filter.type === undefined ? {} : { type: filter.type }),
      ...(filter.nodeId === undefined ? {} : { nodeId: filter.nodeId }),
    });
    yield filter.original === true ? await withOriginals(store, executionId, page.rows) : page.rows;
    after = page.next;
    left -= page.rows.length;
    if (after !== null) await setImmediate();
  }
}

export function eventOf(row: EventRow): TimedEvent {
  return {
    sequence: row.seq,
    type: row.type as EventType,
    node_id: row.nodeId,
    data: row.data,
    at_ms: row.atMs,
  };
}

/** The event as a replay compares it, except for an offloaded output. */
export function replayableOf({ seq, type, nodeId, data, atMs }: EventRow): TimedEvent {
  return { sequence: seq, type: type as EventType, node_id: nodeId, data: withoutOffloadedState(type, data), at_ms: atMs };
}

/** The first event as it is stored. It holds the input, and its actor started the execution. */
export async function readFirst(store: ExecutionStore, executionId: string): Promise<EventRow> {
  const [first] = (await store.events(executionId, { after: 0, limit: 1 })).rows;
  if (first === undefined) throw new RuntimeError('corrupt', `execution ${executionId} has no events`);
  return first;
}

/** The input of the execution as it was given, from its first event. */
export async function inputOf(store: ExecutionStore, executionId: string, first: EventRow): Promise<Json> {
  const [original] = await withOriginals(store, executionId, [first]);
  return inputIn(original ?? first);
}

/** The input as the first event has it. */
export function inputIn(first: EventRow): Json {
  return eventOf(first).data.initial_input ?? null;
}

/** A part of an execution's log in memory. */
export interface LogPart {
  readonly rows: readonly EventRow[];
  /** The same events as a replay needs them, with their offloaded outputs. */
  readonly events: readonly TimedEvent[];
  /** Of the events' data. */
  readonly bytes: number;
}

/**
 * Reads the events after a checkpoint, up to sequence `upTo`, all into memory. Throws `corrupt` when some are missing, and
 * `log_too_large` when they exceed `maxBytes`.
 */
export function readTail(
  store: ExecutionStore,
  tenantId: string,
  executionId: string,
  after: number,
  upTo: number,
  slice?: Slice,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<LogPart> {
  const stored = readLog(store, executionId, { after, original: true }, slice);
  return collect(store, { tenantId, executionId, after, upTo }, stored, maxBytes);
}

/** The whole log up to sequence `upTo`, if that is one page; null otherwise. Throws `corrupt` when an event is missing. */
export async function readShortLog(
  store: ExecutionStore,
  tenantId: string,
  executionId: string,
  upTo: number,
): Promise<LogPart | null> {
  if (upTo > EVENTS_PER_PAGE) return null;
  const { rows, next } = await store.events(executionId, { after: 0, limit: upTo, maxChars: PAGE_CHARS });
  if (next !== null && next < upTo) return null;
  const originals = await withOriginals(store, executionId, rows);
  return collect(store, { tenantId, executionId, after: 0, upTo }, originals, Number.POSITIVE_INFINITY);
}

async function collect(
  store: ExecutionStore,
  { tenantId, executionId, after, upTo }: { tenantId: string; executionId: string; after: number; upTo: number },
  stored: AsyncIterable<EventRow> | Iterable<EventRow>,
  maxBytes: number,
): Promise<LogPart> {
  const rows: EventRow[] = [];
  const events: TimedEvent[] = [];
  let bytes = 0;
  for await (const row of stored) {
    if (row.seq > upTo) break;
    rows.push(row);
    const event = replayableOf(row);
    const offloadedSize = offloadedReplayBytes(row.type, event.data);
    bytes += charsUpTo(row.data, maxBytes) + offloadedSize;
    if (bytes > maxBytes)
      throw new RuntimeError('log_too_large', `the log of execution ${executionId} is larger than ${maxBytes / 1024 / 1024} MiB`);
    events.push(offloadedSize === 0 ? event : { ...event, data: await restorePayload(store, tenantId, event.data) });
  }
  if (events.length !== upTo - after)
    throw new RuntimeError('corrupt', `execution ${executionId} lacks events between ${after} and ${upTo}`);
  return { rows, events, bytes };
}
