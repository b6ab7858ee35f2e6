import type { Cooperative } from '../../../machines/cooperative.ts';
import type { Json } from '../../../machines/json.ts';
import { MAX_LEVELS } from '../../../machines/limits.ts';
import { shortened } from '../../../machines/shortened.ts';
import { noteWellFormed } from '../../../machines/unicode.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { assertAllowed, decodeBody } from './body-checks.ts';
import { parseInPieces } from './large-json.ts';

/** What is known of the parts of a body is noted from this size on: looking at them again would take longer. */
const LARGE_BYTES = 16_384;

/** Larger bodies are parsed in pieces. */
export const MAX_BYTES_AT_ONCE = 65_536;
/** Objects and lists of a body: what handles them at once later takes a fraction of a microsecond for each. */
const MAX_NESTED = 100_000;

/**
 * Parses a request body, a large one in pieces; undefined if it is empty. Throws `RuntimeError` `bad_request` for malformed JSON or UTF-8, and for valid JSON that
 * would be dangerous or would not be stored unchanged: deep nesting, keys `__proto__` and `constructor.prototype`, numbers beyond the range
 * of a double, unpaired surrogates. `alternative` ends the message of malformed JSON: what else the body may be.
 */
export function* parseBody(bytes: Uint8Array, alternative?: string): Cooperative<Json | undefined> {
  if (bytes.length === 0) return undefined;
  const hugeNumbers = yield* scan(bytes);
  try {
    if (bytes.length > MAX_BYTES_AT_ONCE) return yield* parseInPieces(bytes, hugeNumbers);
    const text = decodeBody(bytes);
    if (text.trim() === '') return undefined;
    const value = JSON.parse(text) as Json;
    assertAllowed(text, value, hugeNumbers, value);
    if (bytes.length > LARGE_BYTES) noteWellFormed(value);
    return value;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const hint = alternative === undefined ? '' : `; ${alternative}`;
    throw new RuntimeError('bad_request', `the body is not valid JSON: ${shortened(cause.message, 200)}${hint}`, { cause });
  }
}

const [QUOTE, BACKSLASH, ZERO, NINE] = [0x22, 0x5c, 0x30, 0x39];
/** Bit that makes a small letter of a large one, and a brace of a bracket. */
const LOWER_CASE = 0x20;
const [OPENING_BRACE, CLOSING_BRACE, EXPONENT] = [0x7b, 0x7d, 0x65];
/** A double has at most 309 digits before the decimal point. */
const MANY_DIGITS = 309;

/**
 * Checks the bytes before they are parsed: parsing a million levels, only to refuse them, would take half a second. Returns whether a number may be
 * beyond the range of a double.
 */
function* scan(bytes: Uint8Array): Cooperative<boolean> {
  let depth = 0;
  let nested = 0;
  let digits = 0;
  let quoted = false;
  let hugeNumbers = false;
  for (let i = 0; i < bytes.length; i += 1) {
    if (i % MAX_BYTES_AT_ONCE === MAX_BYTES_AT_ONCE - 1) yield;
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
      else if (lower === OPENING_BRACE) {
        depth += 1;
        nested += 1;
        if (depth > MAX_LEVELS) throw new RuntimeError('bad_request', `the body is nested more than ${MAX_LEVELS} levels deep`);
        if (nested > MAX_NESTED) throw new RuntimeError('bad_request', `the body has more than ${MAX_NESTED} objects and lists`);
      } else if (lower === CLOSING_BRACE) depth -= 1;
    }
  }
  return hugeNumbers;
}
