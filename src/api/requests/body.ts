import { isObject, type Json } from '../../../machines/json.ts';
import { pathOfIllFormedText } from '../../../machines/unicode.ts';
import { invalidUnicode } from '../../runtime/commands/storable-text.ts';
import { RuntimeError } from '../../runtime/errors.ts';

/** Deeper than any workflow or state, far shallower than what overflows a stack. */
const MAX_DEPTH = 256;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A request body as JSON; undefined when it is empty. Throws `RuntimeError` `bad_request` for malformed JSON and UTF-8, and for
 * what is legal JSON but would do harm or change further on: too deep, `__proto__` or `constructor.prototype` keys, infinite numbers,
 * unpaired surrogates.
 */
export function parseBody(bytes: Uint8Array): Json | undefined {
  if (bytes.length === 0) return undefined;
  const { tooDeep, hugeNumbers } = scan(bytes);
  if (tooDeep) throw new RuntimeError('bad_request', `the body is nested more than ${MAX_DEPTH} levels deep`);
  const text = decode(bytes);
  if (text.trim() === '') return undefined;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw new RuntimeError('bad_request', `the body is not valid JSON: ${reasonOf(cause)}`, { cause });
  }
  // The bytes are valid UTF-8: only an escape can make an unpaired surrogate.
  const path = /\\u[dD][89a-fA-F]/.test(text) ? pathOfIllFormedText(value) : null;
  if (path !== null) throw invalidUnicode(path === '' ? 'the body' : path);
  // Every forbidden key is spelled with "proto", or with an escape that hides it.
  if (hugeNumbers || text.includes('proto') || text.includes('\\u00')) rejectUnsafe(value);
  return value;
}

const [QUOTE, BACKSLASH, ZERO, NINE] = [0x22, 0x5c, 0x30, 0x39];
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);
const EXPONENT: ReadonlySet<number> = new Set([0x45, 0x65]);
/** A double has at most 309 digits before its point. */
const MANY_DIGITS = 309;

/**
 * Looks at the text before it is parsed, once and without looking back: parsing a million levels only to find that they are
 * too many takes half a second.
 */
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
      if (digits > 0 && EXPONENT.has(byte)) hugeNumbers = true;
      digits = 0;
      if (byte === QUOTE) quoted = true;
      else if (OPENING.has(byte)) depth += 1;
      else if (CLOSING.has(byte)) depth -= 1;
      if (depth > MAX_DEPTH) return { tooDeep: true, hugeNumbers };
    }
  }
  return { tooDeep: false, hugeNumbers };
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new RuntimeError('bad_request', 'the body is not valid UTF-8', { cause });
  }
}

/** V8 quotes the text around the mistake, which may be long. */
function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 200) : String(cause);
}

/** Recursive: the depth is known to be bounded. */
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
