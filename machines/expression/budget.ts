import { isObject, type Json } from '../json.ts';
import { ExpressionError } from './error.ts';

/** Characters and items that one evaluation, or the rendering of one template, may touch: some 10 ms. */
const MAX_WORK = 8_000_000;
/** Length of the JSON text that an operation may make. */
const MAX_RESULT = 1_000_000;
/** Writing JSON is recursive: deeper values overflow the stack. */
const MAX_DEPTH = 1_000;

/** Bounds what an expression costs, whatever the state it is evaluated on. */
export class Budget {
  #left = MAX_WORK;

  /** Throws `ExpressionError` when the work so far and `amount` more are too much. */
  spend(amount: number): void {
    this.#left -= amount;
    if (this.#left < 0) throw new ExpressionError('too much work');
  }

  /** Pays for a value made by an operation. Shared parts count every time: they are repeated when it is written down. */
  made<T extends Json>(result: T): T {
    this.room(sizeOf(result, MAX_RESULT));
    return result;
  }

  /** Pays for a result before it is made. */
  room(length: number): void {
    if (length > MAX_RESULT) throw new ExpressionError(`the result would be longer than ${MAX_RESULT}, or is nested too deeply`);
    this.spend(length);
  }
}

/**
 * About the length of the value's JSON text, at most `limit + 1`: stops counting there, so that shared parts cannot explode.
 * What is nested too deeply to be written down counts as too long.
 */
export function sizeOf(value: Json, limit: number): number {
  let size = 0;
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return limit + 1;
    const below: Json[] = [];
    for (const part of level) {
      size += lengthOf(part, below);
      if (size > limit) return limit + 1;
    }
    level = below;
  }
  return size;
}

/** Of the part itself; what it holds goes `below`. */
function lengthOf(part: Json, below: Json[]): number {
  if (typeof part === 'string') return part.length + 2;
  if (Array.isArray(part)) {
    for (const item of part) below.push(item);
    return part.length + 2;
  }
  if (!isObject(part)) return 5;
  let length = 2;
  for (const key in part) {
    length += key.length + 4;
    below.push(part[key] ?? null);
  }
  return length;
}
