import { isObject, type Json } from '../../../machines/json.ts';
import { shortened } from '../../../machines/shortened.ts';
import { noteWellFormed, pathOfIllFormedText } from '../../../machines/unicode.ts';
import { invalidUnicode } from '../../runtime/commands/storable-text.ts';
import { RuntimeError } from '../../runtime/errors.ts';

/** Deeper than any workflow or state, and far from overflowing the stack. */
const MAX_DEPTH = 256;
/** What is known of the parts of a body is noted from this size on: looking at them again would take longer. */
const LARGE_BYTES = 16_384;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses a request body; undefined if it is empty. Throws `RuntimeError` `bad_request` for malformed JSON or UTF-8, and for valid JSON that
 * would be dangerous or would not be stored unchanged: deep nesting, keys `__proto__` and `constructor.prototype`, numbers beyond the range
 * of a double, unpaired surrogates. `alternative` ends the message of malformed JSON: what else the body may be.
 */
export function parseBody(bytes: Uint8Array, alternative?: string): Json | undefined {
  if (bytes.length === 0) return undefined;
  const { tooDeep, hugeNumbers } = scan(bytes);
  if (tooDeep) throw new RuntimeError('bad_request', `the body is nested more than ${MAX_DEPTH} levels deep`);
  const text = decodeBody(bytes);
  if (text.trim() === '') return undefined;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    const hint = alternative === undefined ? '' : `; ${alternative}`;
    throw new RuntimeError('bad_request', `the body is not valid JSON: ${reasonOf(cause)}${hint}`, { cause });
  }
  // Only an escape can be an unpaired surrogate, since the bytes are valid UTF-8.
  const path = /\\u[dD][89a-fA-F]/.test(text) ? pathOfIllFormedText(value) : null;
  if (path !== null) throw invalidUnicode(path === '' ? 'the body' : path);
  if (bytes.length > LARGE_BYTES) noteWellFormed(value);
  // A forbidden key contains "proto", or an escape that hides it.
  if (hugeNumbers || text.includes('proto') || text.includes('\\u00')) rejectUnsafe(value);
  return value;
}

const [QUOTE, BACKSLASH, ZERO, NINE] = [0x22, 0x5c, 0x30, 0x39];
/** Bit that makes a small letter of a large one, and a brace of a bracket. */
const LOWER_CASE = 0x20;
const [OPENING_BRACE, CLOSING_BRACE, EXPONENT] = [0x7b, 0x7d, 0x65];
/** A double has at most 309 digits before the decimal point. */
const MANY_DIGITS = 309;

/** Checks the bytes in one pass before they are parsed: parsing a million levels, only to refuse them, would take half a second. */
function scan(bytes: Uint8Array): { readonly tooDeep: boolean; readonly hugeNumbers: boolean } {
  let depth = 0;
  let digits = 0;
  let quoted = false;
  let hugeNumbers = false;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] ?? 0;
    if (quoted) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) quoted = false;
    } else if (byte >= ZERO && byte <= NINE) {
      digits += 1;
      if (digits >= MANY_DIGITS) hugeNumbers = true;
    } else {
      const lower = byte | LOWER_CASE;
      if (digits > 0 && lower === EXPONENT) hugeNumbers = true;
      digits = 0;
      if (byte === QUOTE) quoted = true;
      else if (lower === OPENING_BRACE) depth += 1;
      else if (lower === CLOSING_BRACE) depth -= 1;
      if (depth > MAX_DEPTH) return { tooDeep: true, hugeNumbers };
    }
  }
  return { tooDeep: false, hugeNumbers };
}

/** Throws `bad_request` if the bytes are not valid UTF-8. */
export function decodeBody(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new RuntimeError('bad_request', 'the body is not valid UTF-8', { cause });
  }
}

/** V8 quotes the text around the error, which may be long. */
function reasonOf(cause: unknown): string {
  return cause instanceof Error ? shortened(cause.message, 200) : String(cause);
}

/** Recursive, because the depth is bounded by `scan`. */
function rejectUnsafe(value: Json): void {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new RuntimeError('bad_request', 'the body has a number beyond the range of a double');
  if (value === null || typeof value !== 'object') return;
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw forbiddenKey(key);
    if (key === 'constructor' && isObject(item) && Object.hasOwn(item, 'prototype')) throw forbiddenKey('constructor.prototype');
    rejectUnsafe(item);
  }
}

function forbiddenKey(key: string): RuntimeError {
  return new RuntimeError('bad_request', `the key "${key}" is not allowed`);
}
