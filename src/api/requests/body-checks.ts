import { isObject, type Json } from '../../../machines/json.ts';
import { pathOfIllFormedText } from '../../../machines/unicode.ts';
import { invalidUnicode } from '../../runtime/commands/storable-text.ts';
import { RuntimeError } from '../../runtime/errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** Only at the beginning, a byte order mark is none of the text. */
const utf8Within = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws `bad_request` for a value that would be dangerous or would not be stored unchanged. `text` is its JSON; it is a part of `body`. */
export function assertAllowed(text: string, value: Json, hugeNumbers: boolean, body: Json | undefined): void {
  // Only an escape can be an unpaired surrogate, since the bytes are valid UTF-8.
  if (/\\u[dD][89a-fA-F]/.test(text) && pathOfIllFormedText(value) !== null) {
    const path = pathOfIllFormedText(body ?? value) ?? '';
    throw invalidUnicode(path === '' ? 'the body' : path);
  }
  // A forbidden key contains "proto", or an escape that hides it.
  if (hugeNumbers || text.includes('proto') || text.includes('\\u00')) rejectUnsafe(value);
}

/** Throws `bad_request` if the bytes are not valid UTF-8. */
export function decodeBody(bytes: Uint8Array, from = 0, to = bytes.length): string {
  try {
    return (from === 0 ? utf8 : utf8Within).decode(bytes.subarray(from, to));
  } catch (cause) {
    throw new RuntimeError('bad_request', 'the body is not valid UTF-8', { cause });
  }
}

/** Recursive, because the depth of bodies is bounded. */
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

export function forbiddenKey(key: string): RuntimeError {
  return new RuntimeError('bad_request', `the key "${key}" is not allowed`);
}
