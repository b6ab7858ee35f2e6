import { isObject, type Json } from '../../../../machines/json.ts';
import type { KnownSize, Run, RunBytes } from '../../../../machines/run.ts';
import type { Context, EarlyEvent, PendingInput } from '../../../../machines/step/context/context.ts';
import { LIMITS } from './limits.ts';

/** The most bytes of JSON text for one UTF-16 code unit, or for one counted character of a number: an escape sequence. */
const BYTES_PER_CHAR = 6;
/** The state, the buffered events and an approval's description may each hold the data of an event. */
const PLACES = 3;

type Measured = NonNullable<KnownSize['measured']>;

/** The sizes of large items. */
const itemBytes = new WeakMap<object, number>();
const LARGE_BYTES = 1_024;
/** Printable ASCII without quotes and backslashes. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
/** Control characters that JSON escapes by a letter. */
const SHORT_ESCAPES = new Set([...'\b\t\n\f\r'].map((character) => character.charCodeAt(0)));

/** Records that a run holds no more than `bytes`. */
export function recordUpperBound(run: Run, bytes: number): void {
  run.knownSize = { atMost: bytes, measured: null };
}

/** Records an upper bound for a run that was loaded from a checkpoint and the log since. */
export function recordLoaded(run: Run, checkpointChars: number, tailChars: number): void {
  const { pendingInputs: fed } = contextOf(run);
  const places = PLACES + Object.values(fed).reduce((count, each) => count + each.length, 0);
  run.knownSize = { atMost: BYTES_PER_CHAR * (checkpointChars + tailChars * places), measured: null };
}

/**
 * The size of `run`, which a step with `chars` characters of event data made from `before`. Null: an upper bound shows that it is
 * within all limits. Measures only what has changed since the last measurement.
 */
export function bytesAfterStep(before: Run, run: Run, chars: number): RunBytes | null {
  const known = before.knownSize;
  const base = known ?? { atMost: 0, measured: measure(before, null) };
  const atMost = (known?.atMost ?? sum(base.measured)) + BYTES_PER_CHAR * chars * (PLACES + pendingInputCount(before, run));
  if (atMost <= LIMITS.stateBytes) {
    run.knownSize = { atMost, measured: base.measured };
    return null;
  }
  const measured = measure(run, base.measured);
  run.knownSize = { atMost: sum(measured), measured };
  return measured;
}

/** The exact size of a run. */
export function bytesHeldBy(run: Run): RunBytes {
  return measure(run, run.knownSize?.measured ?? null);
}

/** The size of the buffered events in bytes. */
export function bufferedBytes(run: Run): number {
  return sumOf(contextOf(run).earlyEvents, LIMITS.bufferedBytes);
}

function sum(measured: Measured | null): number {
  return measured === null ? 0 : measured.state + measured.pendingInput + measured.buffered;
}

function contextOf(run: Run): Context {
  return run.snapshot.context as Context;
}

/** How many nodes an output of the step may be pending for. */
function pendingInputCount(before: Run, run: Run): number {
  const { pendingInputs: fed } = contextOf(run);
  if (fed === contextOf(before).pendingInputs) return 0;
  let count = 0;
  for (const node in fed) count += fed[node]?.length ?? 0;
  return count;
}

function measure(run: Run, base: Measured | null): Measured {
  const { state, pendingInputs: fed, earlyEvents: early } = contextOf(run);
  const was = base === null ? null : contextOf(base.run);
  return {
    run,
    state: base === null || was === null ? bytesOf(state) : base.state + difference(was.state, state),
    pendingInput: base !== null && was?.pendingInputs === fed ? base.pendingInput : pendingInputBytes(fed),
    buffered: base !== null && was?.earlyEvents === early ? base.buffered : sumOf(early, LIMITS.bufferedBytes),
  };
}

function pendingInputBytes(fed: Context['pendingInputs']): number {
  let bytes = 0;
  for (const node in fed) {
    bytes += sumOf(fed[node] ?? [], LIMITS.pendingInputBytes - bytes);
    if (bytes > LIMITS.pendingInputBytes) break;
  }
  return bytes;
}

/** Stops above the limit. */
function sumOf(items: readonly (PendingInput | EarlyEvent)[], limit: number): number {
  let bytes = 0;
  for (const item of items) {
    bytes += bytesOfItem(item as unknown as Json);
    if (bytes > limit) break;
  }
  return bytes;
}

/** The exact length of the JSON text in bytes. */
export function bytesOf(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/**
 * `bytesOf` without the text, which takes long for many small parts. Measures a large item of a list once: a list that continues one of the state has
 * most of its items from there.
 */
export function bytesByItems(value: Json): number {
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    let bytes = Math.max(0, items.length - 1) + 2;
    for (const item of items) bytes += bytesOfItem(item);
    return bytes;
  }
  if (!isObject(value)) return bytesOfPrimitive(value);
  let [bytes, members] = [2, 0];
  for (const key in value) {
    bytes += bytesOfPrimitive(key) + 1 + bytesByItems(value[key] ?? null);
    members += 1;
  }
  return bytes + Math.max(0, members - 1);
}

function bytesOfItem(item: Json): number {
  if (typeof item !== 'object' || item === null) return bytesOfPrimitive(item);
  const known = itemBytes.get(item);
  if (known !== undefined) return known;
  const bytes = bytesByItems(item);
  if (bytes >= LARGE_BYTES) itemBytes.set(item, bytes);
  return bytes;
}

function bytesOfPrimitive(value: Json): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return digitsOf(value);
  if (typeof value === 'number') return Number.isFinite(value) ? `${value}`.length : 4;
  if (typeof value === 'string' && value.length < LARGE_BYTES)
    return PLAIN_TEXT.test(value) ? value.length + 2 : bytesOfText(value);
  return bytesOf(value);
}

/** Faster than `JSON.stringify` for short texts. */
function bytesOfText(text: string): number {
  let bytes = 2;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x20) bytes += SHORT_ESCAPES.has(code) ? 2 : 6;
    else if (code < 0x80) bytes += code === QUOTE || code === BACKSLASH ? 2 : 1;
    else if (code < 0x800) bytes += 2;
    else if (code < 0xd800 || code > 0xdfff) bytes += 3;
    else if (code < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      bytes += 4;
      i += 1;
    } else bytes += 6;
  }
  return bytes;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

function digitsOf(integer: number): number {
  let digits = 1;
  for (let power = 10; power <= integer; power *= 10) digits += 1;
  return digits;
}

/** By how many bytes the text of `now` is longer than that of `was`. Does not visit parts that both share. */
function difference(was: Json, now: Json): number {
  if (was === now) return 0;
  if (Array.isArray(was) && Array.isArray(now)) return listDifference(was as readonly Json[], now as readonly Json[]);
  if (!isObject(was) || !isObject(now)) return bytesOf(now) - bytesOf(was);
  let bytes = 0;
  for (const key in now) {
    const value = now[key] ?? null;
    const before = Object.hasOwn(was, key) ? was[key] : undefined;
    bytes += before === undefined ? memberBytes(key, value) : difference(before, value);
  }
  for (const key in was) if (!Object.hasOwn(now, key)) bytes -= memberBytes(key, was[key] ?? null);
  return bytes;
}

/** A list that another one continues shares its items. */
function listDifference(was: readonly Json[], now: readonly Json[]): number {
  let shared = 0;
  while (shared < was.length && shared < now.length && was[shared] === now[shared]) shared += 1;
  const rest = (list: readonly Json[]): number => list.slice(shared).reduce<number>((bytes, item) => bytes + bytesOf(item), 0);
  return rest(now) - rest(was) + Math.max(0, now.length - 1) - Math.max(0, was.length - 1);
}

/** Includes a comma, which every member but the last has. */
function memberBytes(key: string, value: Json): number {
  return bytesOf(key) + bytesOf(value) + 2;
}
