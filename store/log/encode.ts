import { ACTOR } from '../../machines/events/declaration.ts';
import type { EventRow } from '../port/executions.ts';
import type { Json, JsonObject } from '../port/json.ts';
import { wellFormed } from '../well-formed.ts';
import { type EventContext, type LogEntry, MAX_BODY_CHARS, MAX_EVENTS, sameContext } from './entry.ts';
import { nameText, type Shape, shapeOfType, WHOLE } from './shapes.ts';

/** The entries of a commit. Text that a database cannot store is replaced, see well-formed.ts. */
export function encodeEntries(rows: readonly EventRow[]): readonly LogEntry[] {
  return encode(rows, wellFormed, ({ data }, shape, actorId) => {
    const values = shape === undefined ? null : shapedValues(shape, data, actorId);
    return values ?? `\t${WHOLE}${JSON.stringify(data)}`;
  });
}

/** A new entry begins where the context changes, after a gap in the sequence, and when the entry is full. */
export function encode<Row extends EventContext & Pick<EventRow, 'seq' | 'type' | 'nodeId'>>(
  rows: readonly Row[],
  wellFormedText: (text: string) => string,
  values: (row: Row, shape: Shape | undefined, actorId: string) => string,
): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  let first: Row | undefined;
  let actorId = '';
  let body = '';
  let events = 0;
  let seq = 0;
  let node: string | null = null;
  const close = () => {
    if (first === undefined) return;
    const { atMs, actorType } = first;
    const onBehalfOf = first.onBehalfOf === null ? null : wellFormedText(first.onBehalfOf);
    const request = first.request === null ? null : wellFormedText(first.request);
    entries.push({ seq, events, body, atMs, actorId, actorType, onBehalfOf, request });
  };
  const begin = (row: Row) => {
    close();
    first = row;
    actorId = wellFormedText(row.actorId);
    body = '';
    events = 0;
    node = null;
  };
  for (const row of rows) {
    const isNext = first !== undefined && row.seq === seq + 1 && events < MAX_EVENTS && sameContext(first, row);
    if (!isNext) begin(row);
    const type = wellFormedText(row.type);
    const shape = shapeOfType(type);
    const nodeId = row.nodeId === null ? null : wellFormedText(row.nodeId);
    const text = values(row, shape, actorId);
    let line = headOf(type, shape, nodeId, node) + text;
    if (events > 0 && body.length + line.length > MAX_BODY_CHARS) {
      begin(row);
      line = headOf(type, shape, nodeId, null) + text;
    }
    body += line;
    events += 1;
    seq = row.seq;
    node = nodeId;
  }
  close();
  return entries;
}

/** `before`: the node of the event before. */
function headOf(type: string, shape: Shape | undefined, nodeId: string | null, before: string | null): string {
  if (shape === undefined) return `\n${WHOLE}${nameText(type)}\t${nodeId === before ? '' : nameText(nodeId)}`;
  const isDefault = nodeId === (shape.ofExecution ? null : before);
  return isDefault ? `\n${shape.letter}` : `\n${shape.letter}${nameText(nodeId)}`;
}

/** Does the shape have these keys in this order? Known before the values are written, which may be large. */
function fits(keys: Shape['keys'], data: JsonObject): boolean {
  let index = 0;
  for (const key in data) {
    while (keys[index] !== key) {
      index += 1;
      if (index >= keys.length) return false;
    }
    index += 1;
  }
  return true;
}

/** Null when the shape does not have these keys in this order. */
export function shapedValues({ keys, slots, defaults, absent }: Shape, data: JsonObject, actorId: string): string | null {
  if (!fits(keys, data)) return null;
  const texts: string[] = absent.slice();
  let index = 0;
  for (const key in data) {
    while (keys[index] !== key) index += 1;
    const value = data[key];
    const byDefault = defaults[index];
    const text = value === byDefault || (byDefault === ACTOR && value === actorId) ? '' : jsonText(value);
    // As in JSON, a key without a value is absent.
    if (text !== undefined) texts[slots[index] as number] = text;
    index += 1;
  }
  let last = texts.length - 1;
  while (last >= 0 && texts[last] === '') last -= 1;
  let line = '';
  for (let slot = 0; slot <= last; slot += 1) line += `\t${texts[slot]}`;
  return line;
}

/** Printable ASCII without quotes and backslashes. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;
/** Longer texts are as fast with JSON.stringify. */
const PLAIN_CHARS = 64;

/** `JSON.stringify`, faster for short values. */
function jsonText(value: Json | undefined): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? `${value}` : 'null';
  if (typeof value === 'string' && value.length <= PLAIN_CHARS && PLAIN_TEXT.test(value)) return `"${value}"`;
  if (Array.isArray(value) && value.length === 1 && typeof value[0] === 'string') return `[${jsonText(value[0])}]`;
  return JSON.stringify(value);
}
