import type { Database, Statement } from 'better-sqlite3';
import { encodeStored } from '../../log/encode.ts';
import type { StoredEvent } from '../../log/stored-event.ts';
import { LogNames } from '../log/log-names.ts';
import * as sql from '../queries/conversion.ts';
import type { MoveBatch } from './move-batch.ts';

const EVENTS_PER_BATCH = 2_000;
/** A single event may be larger. */
const CHARS_PER_BATCH = 8 * 1024 * 1024;
const MAX_CACHED = 20_000;

interface OldEvent extends StoredEvent {
  readonly position: number;
  readonly executionId: string;
  readonly tenantId: string;
}

/**
 * Joins events into entries, in the order of their positions. An entry holds only events with consecutive positions, so that each event keeps its
 * position. Damaged events and events that no audit block seals are moved, too, and verification still reports them.
 */
export function moveEvents(db: Database, onMoved: (position: number) => void): MoveBatch {
  const events = db.prepare<[number], OldEvent>(sql.OLD_EVENTS);
  const remove = db.prepare<[number]>(sql.REMOVE_OLD_EVENTS);
  const entries = new EntryWriter(db);
  return () => {
    const batch = upToChars(events.iterate(EVENTS_PER_BATCH));
    const last = batch.at(-1);
    if (last === undefined) return false;
    // First, so that the entries take the space that this frees.
    remove.run(last.position);
    for (const run of runsOf(batch)) entries.append(run);
    onMoved(last.position);
    return true;
  };
}

function upToChars(events: Iterable<OldEvent>): readonly OldEvent[] {
  const batch: OldEvent[] = [];
  let chars = 0;
  for (const event of events) {
    batch.push(event);
    chars += event.data.length;
    if (chars >= CHARS_PER_BATCH) break;
  }
  return batch;
}

/** Events of one execution with consecutive positions. */
function runsOf(events: readonly OldEvent[]): readonly (readonly OldEvent[])[] {
  const runs: OldEvent[][] = [];
  let run: OldEvent[] = [];
  let before: OldEvent | undefined;
  for (const event of events) {
    if (before === undefined || !follows(before, event)) {
      run = [];
      runs.push(run);
    }
    run.push(event);
    before = event;
  }
  return runs;
}

function follows(before: OldEvent, event: OldEvent): boolean {
  return event.position === before.position + 1 && event.executionId === before.executionId && event.tenantId === before.tenantId;
}

class EntryWriter {
  readonly #names: LogNames;
  readonly #logId: Statement<[string], number>;
  readonly #unusedLogId: Statement<[], number>;
  readonly #insert: Statement;
  readonly #logIds = new Map<string, number>();

  constructor(db: Database) {
    this.#names = new LogNames(db);
    this.#logId = db.prepare<[string], number>(sql.LOG_ID).pluck();
    this.#unusedLogId = db.prepare<[], number>(sql.UNUSED_LOG_ID).pluck();
    this.#insert = db.prepare(sql.INSERT_ENTRY);
  }

  append(run: readonly OldEvent[]): void {
    const [first] = run;
    if (first === undefined) return;
    const logId = this.#logIdOf(first.executionId);
    const tenant = this.#names.putTenant(first.tenantId);
    let position = first.position - 1;
    for (const entry of encodeStored(run)) {
      const { seq, events, atMs, request, body } = entry;
      position += events;
      this.#insert.run(position, logId, seq, events, tenant, atMs, this.#names.putActor(entry), request, body);
    }
  }

  #logIdOf(executionId: string): number {
    const known = this.#logIds.get(executionId);
    if (known !== undefined) return known;
    const logId = this.#logId.get(executionId) ?? this.#unusedLogId.get();
    if (logId === undefined) throw new Error('the database gave no number to an execution');
    if (this.#logIds.size >= MAX_CACHED) this.#logIds.clear();
    this.#logIds.set(executionId, logId);
    return logId;
  }
}
