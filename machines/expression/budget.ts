import { isObject, type Json } from '../json.ts';
import { ExpressionError } from './error.ts';

/** Characters and items that one evaluation, or the rendering of one template, may touch: some 10 ms. */
const MAX_WORK = 8_000_000;
/** Length of the JSON text that an operation may make. */
const MAX_RESULT = 1_000_000;

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
    if (length > MAX_RESULT) throw new ExpressionError(`the result would be longer than ${MAX_RESULT}`);
    this.spend(length);
  }
}

/** About the length of the value's JSON text, at most `limit + 1`: stops counting there, so that shared parts cannot explode. */
export function sizeOf(value: Json, limit: number): number {
  let size = 0;
  const left: Json[] = [value];
  while (left.length > 0 && size <= limit) {
    const part = left.pop() ?? null;
    if (typeof part === 'string') size += part.length + 2;
    else if (Array.isArray(part)) {
      size += part.length + 2;
      if (size <= limit) for (const item of part) left.push(item);
    } else if (isObject(part)) {
      size += 2;
      for (const key in part) {
        size += key.length + 4;
        if (size > limit) break;
        left.push(part[key] ?? null);
      }
    } else size += 5;
  }
  return Math.min(size, limit + 1);
}
