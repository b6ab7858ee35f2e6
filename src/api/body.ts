import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { RuntimeError } from '../runtime/errors.ts';

/** Deeper than any workflow or state, far shallower than what overflows a stack. */
const MAX_DEPTH = 256;

/** Nothing shorter can be nested that deep, hold a forbidden key (however escaped) or a number beyond the range of a double. */
const SUSPICIOUS = /proto|constructor|\\u00|\d[eE]\+?\d{3}|\d{300}/;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A request body as JSON; undefined when it is empty. Throws `RuntimeError` `bad_request` for malformed JSON and UTF-8, and for
 * what is legal JSON but would do harm or change further on: too deep, `__proto__` or `constructor.prototype` keys, infinite numbers.
 */
export function parseBody(bytes: Uint8Array): Json | undefined {
  if (bytes.length === 0) return undefined;
  const text = decode(bytes);
  if (text.trim() === '') return undefined;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw new RuntimeError('bad_request', `the body is not valid JSON: ${reasonOf(cause)}`, { cause });
  }
  if (text.length > MAX_DEPTH || SUSPICIOUS.test(text)) inspect(value);
  return value;
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

/** Level by level instead of recursively: the depth is what is not trusted. */
function inspect(root: Json): void {
  let level: Json[] = [root];
  for (let depth = 1; level.length > 0; depth += 1) {
    const next: Json[] = [];
    for (const value of level) {
      if (typeof value === 'number' && !Number.isFinite(value))
        throw new RuntimeError('bad_request', 'the body has a number beyond the range of a double');
      if (value === null || typeof value !== 'object') continue;
      if (depth > MAX_DEPTH) throw new RuntimeError('bad_request', `the body is nested more than ${MAX_DEPTH} levels deep`);
      if (isObject(value)) inspectKeys(value, next);
      else for (const item of value) next.push(item);
    }
    level = next;
  }
}

function inspectKeys(value: JsonObject, next: Json[]): void {
  for (const key of Object.keys(value)) {
    const item = value[key] as Json;
    const poisoned =
      key === '__proto__' ||
      (key === 'constructor' && item !== null && typeof item === 'object' && Object.hasOwn(item, 'prototype'));
    if (poisoned)
      throw new RuntimeError('bad_request', `the key "${key === 'constructor' ? 'constructor.prototype' : key}" is not allowed`);
    next.push(item);
  }
}
