import { type Cooperative, runToEnd } from '../cooperative.ts';
import type { Json, JsonObject } from '../json.ts';
import { MAX_KEYS, MAX_NESTING, MAX_VALUES } from '../limits.ts';
import { shortened } from '../shortened.ts';
import { noteWellFormed } from '../unicode.ts';
import type { Problems } from './problems.ts';

/** Values that are copied before other work may go on. */
const COPIED_AT_ONCE = 2_000;

/** Stops the copy of an invalid document. */
class InvalidDocument extends Error {
  readonly code: string;
  readonly path: string;

  constructor(code: string, path: string, problem: string) {
    const shown = shortened(path, 100);
    super(`${shown === '' ? 'the workflow' : shown} ${problem}`);
    this.code = code;
    this.path = shown;
  }
}

/**
 * A deep copy of `value` that is JSON of bounded depth and size, so that no later code has to check for cycles, class instances, `NaN` or
 * `__proto__` keys. Notes the problem and returns null for anything else.
 */
export function readDocument(value: unknown, problems: Problems): JsonObject | null {
  return runToEnd(readDocumentCooperatively(value, problems));
}

/** `readDocument` as a cooperative computation. */
export function* readDocumentCooperatively(value: unknown, problems: Problems): Cooperative<JsonObject | null> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    problems.error('not_an_object', 'the workflow must be an object', {
      hint: 'send {"workflow_id": …, "version": …, "nodes": …}',
    });
    return null;
  }
  try {
    return (yield* boundedCopy(value)) as JsonObject;
  } catch (error) {
    if (!(error instanceof InvalidDocument)) throw error;
    problems.error(error.code, error.message, { path: error.path });
    return null;
  }
}

function* boundedCopy(document: object): Cooperative<Json> {
  let values = 0;
  let isWellFormed = true;
  const scalar = (value: unknown, path: string): Json => {
    if (typeof value === 'string') isWellFormed &&= value.isWellFormed();
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw new InvalidDocument('not_json', path, `is not JSON (${typeof value})`);
  };
  const count = (path: string): void => {
    values += 1;
    if (values > MAX_VALUES) throw new InvalidDocument('too_large', path, `exceeds the limit of ${MAX_VALUES} values`);
  };
  function* copy(value: object, path: string, depth: number): Cooperative<Json> {
    if (depth >= MAX_NESTING)
      throw new InvalidDocument('nesting_too_deep', path, `is nested more than ${MAX_NESTING} levels deep`);
    const inside = function* (part: unknown, at: string): Cooperative<Json> {
      count(at);
      if (values % COPIED_AT_ONCE === 0) yield;
      return typeof part === 'object' && part !== null ? yield* copy(part, at, depth + 1) : scalar(part, at);
    };
    if (Array.isArray(value)) {
      const items: Json[] = [];
      for (const [i, item] of value.entries()) items.push(yield* inside(item, `${path}[${i}]`));
      return items;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null)
      throw new InvalidDocument('not_json', path, 'is not a plain object');
    const entries = Object.entries(value);
    if (entries.length > MAX_KEYS) throw new InvalidDocument('too_large', path, `has more than ${MAX_KEYS} keys`);
    const result: Record<string, Json> = {};
    for (const [key, item] of entries) {
      if (item === undefined) continue;
      const at = path === '' ? key : `${path}.${key}`;
      if (key === '__proto__') throw new InvalidDocument('bad_name', at, 'is a reserved key');
      isWellFormed &&= key.isWellFormed();
      result[key] = yield* inside(item, at);
    }
    return result;
  }
  count('');
  const copied = yield* copy(document, '', 0);
  if (isWellFormed) noteWellFormed(copied);
  return copied;
}
