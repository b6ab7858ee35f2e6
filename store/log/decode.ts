import { ACTOR } from '../../machines/events/declaration.ts';
import { DamagedEntryError } from '../port/errors.ts';
import type { EventRow } from '../port/executions.ts';
import type { Json, JsonObject } from '../port/json.ts';
import { type LogEntry, MAX_EVENTS } from './entry.ts';
import { type Shape, shapeOfLetter, WHOLE } from './shapes.ts';
import type { StoredEvent } from './stored-event.ts';

/** What identifies an event among others, without its data. */
export interface EventOutline {
  readonly seq: number;
  readonly type: string;
  readonly nodeId: string | null;
}

/** The type in the outline of an event whose text is damaged. */
export const DAMAGED = 'damaged';

/** Throws `DamagedEntryError`. */
export function decodeEntry(entry: LogEntry): readonly EventRow[] {
  return decode(entry, dataIn);
}

/** The data as JSON text, byte for byte. Throws `DamagedEntryError`. */
export function decodeStored(entry: LogEntry): readonly StoredEvent[] {
  return decode(entry, dataTextIn);
}

function decode<Data>(
  { seq, events, body, atMs, actorId, actorType, onBehalfOf, request }: LogEntry,
  dataOf: (line: Line, actorId: string) => Data,
): (Omit<EventRow, 'data'> & { readonly data: Data })[] {
  const rows: (Omit<EventRow, 'data'> & { readonly data: Data })[] = [];
  const line = new Line(body);
  try {
    while (line.next()) {
      const { type, nodeId } = line;
      const data = dataOf(line, actorId);
      rows.push({ seq: seq - events + 1 + rows.length, type, nodeId, data, atMs, actorId, actorType, onBehalfOf, request });
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw new DamagedEntryError(error.message, { cause: error });
    throw error;
  }
  if (rows.length !== events) throw new DamagedEntryError(`it has ${rows.length} of ${events} events`);
  return rows;
}

/**
 * Reads no data. Always as many events as the entry says: those of a damaged body are of type `damaged`. A damaged count, beyond what an entry can
 * have, stands for the last events of its sequence.
 */
export function outlineEntry(entry: Pick<LogEntry, 'seq' | 'events' | 'body'>): readonly EventOutline[] {
  const outline: EventOutline[] = [];
  const line = new Line(entry.body);
  const events = Math.min(entry.events, MAX_EVENTS);
  const first = entry.seq - events + 1;
  try {
    while (outline.length < events && line.next()) {
      outline.push({ seq: first + outline.length, type: line.type, nodeId: line.nodeId });
    }
  } catch (error) {
    if (!(error instanceof DamagedEntryError || error instanceof SyntaxError)) throw error;
  }
  while (outline.length < events) outline.push({ seq: first + outline.length, type: DAMAGED, nodeId: null });
  return outline;
}

/** Reads a body line by line. */
class Line {
  type = '';
  nodeId: string | null = null;
  /** Undefined for a type without a letter. */
  shape: Shape | undefined;
  readonly body: string;
  /** The tab before the first value, or the end. */
  values = 0;
  end = 0;

  constructor(body: string) {
    this.body = body;
  }

  next(): boolean {
    const { body } = this;
    const start = this.end;
    if (start >= body.length) return false;
    if (body[start] !== '\n') throw new DamagedEntryError('it does not begin with a line feed');
    const end = body.indexOf('\n', start + 1);
    this.end = end === -1 ? body.length : end;
    this.shape = shapeOfLetter(body.charCodeAt(start + 1));
    if (this.shape !== undefined) {
      const { type, ofExecution } = this.shape;
      this.type = type;
      this.values = this.#tabAfter(start + 2);
      const byDefault = ofExecution ? null : this.nodeId;
      this.nodeId = this.values === start + 2 ? byDefault : nameIn(body.slice(start + 2, this.values));
      return true;
    }
    if (body[start + 1] !== WHOLE) throw new DamagedEntryError('an event has no known type');
    const tab = this.#tabAfter(start + 2);
    this.values = this.#tabAfter(tab + 1);
    this.type = nameIn(body.slice(start + 2, tab)) ?? '';
    if (this.values !== tab + 1) this.nodeId = nameIn(body.slice(tab + 1, this.values));
    return true;
  }

  /** The next tab of the line, or its end. */
  #tabAfter(start: number): number {
    const { body, end } = this;
    for (let at = start; at < end; at += 1) if (body.charCodeAt(at) === TAB) return at;
    return end;
  }
}

const TAB = 9;

function nameIn(text: string): string | null {
  if (!text.startsWith('"')) return text === 'null' ? null : text;
  return JSON.parse(text) as string;
}

/** The text of data that is stored as a whole; null = the line has values. */
function wholeDataIn({ body, values, end, shape }: Line): string | null {
  if (body[values + 1] !== WHOLE || values >= end) {
    if (shape === undefined) throw new DamagedEntryError('an event has no data');
    return null;
  }
  const text = body.slice(values + 2, end);
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}

/** The values of the line by slot; missing ones are left out at the end. */
function valuesIn({ body, values, end }: Line, slots: number): readonly string[] {
  const texts: string[] = [];
  for (let start = values + 1; start <= end; ) {
    const tab = body.indexOf('\t', start);
    const until = tab === -1 || tab > end ? end : tab;
    texts.push(body.slice(start, until));
    start = until + 1;
  }
  if (texts.length > slots) throw new DamagedEntryError('an event has too many values');
  return texts;
}

function dataIn(line: Line, actorId: string): JsonObject {
  const whole = wholeDataIn(line);
  if (whole !== null) return JSON.parse(whole) as JsonObject;
  const { keys, slots, defaults } = line.shape as Shape;
  const texts = valuesIn(line, slots.length);
  const data: Record<string, Json> = {};
  for (let index = 0; index < keys.length; index += 1) {
    const text = texts[slots[index] as number];
    if (text === undefined || text === '') {
      const value = defaults[index];
      if (value !== undefined) data[keys[index] as string] = value === ACTOR ? actorId : value;
    } else if (text !== '-') data[keys[index] as string] = parsed(text);
  }
  return data;
}

function dataTextIn(line: Line, actorId: string): string {
  const whole = wholeDataIn(line);
  if (whole !== null) return whole;
  const { keys, slots, defaults } = line.shape as Shape;
  const texts = valuesIn(line, slots.length);
  let data = '';
  for (let index = 0; index < keys.length; index += 1) {
    let text = texts[slots[index] as number];
    if (text === undefined || text === '') {
      const value = defaults[index];
      if (value === undefined) continue;
      text = JSON.stringify(value === ACTOR ? actorId : value);
    }
    if (text !== '-') data += `${data === '' ? '{' : ','}"${keys[index]}":${text}`;
  }
  return data === '' ? '{}' : `${data}}`;
}

const QUOTE = 34;
const DIGIT_0 = 48;
const DIGIT_9 = 57;

/** `JSON.parse`, faster for short values. */
function parsed(text: string): Json {
  const first = text.charCodeAt(0);
  if (first === QUOTE && text.indexOf('"', 1) === text.length - 1 && !text.includes('\\')) return text.slice(1, -1);
  if (text.length === 1 && first >= DIGIT_0 && first <= DIGIT_9) return first - DIGIT_0;
  return JSON.parse(text) as Json;
}
