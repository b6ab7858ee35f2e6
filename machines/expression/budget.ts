import { isObject, type Json } from '../json.ts';
import { BudgetExceeded, ExpressionError } from './error.ts';

/**
 * Units of work for one step, or for one rendering outside a step. A unit takes 5 to 10 ns on one core of 2024, so a step that uses up its
 * budget has evaluated for less than 100 ms. Costs are part of the semantics: a replay must arrive at the same total, and a change of any cost
 * changes which steps fail.
 */
export const STEP_EVALUATION_BUDGET = 8_000_000;
/** Length of the JSON text of a result, at most. */
const MAX_RESULT = 1_000_000;
/** Items of a list that an operation makes, at most: the JSON text of an item has at least two characters and a comma. */
export const MAX_PARTS = Math.ceil(MAX_RESULT / 3);
/** Levels of a result, at most: serialisation is recursive and would overflow the stack. */
const MAX_DEPTH = 1_000;
/** Units for visiting a part of a value or copying an item of a list. */
export const PART_COST = 4;
/** Units for listing a key of an object. */
export const KEY_COST = 16;
/** Units for evaluating one node of the syntax tree, and for starting an expression. */
export const OPERATION_COST = 5;
export const EVALUATION_COST = 20;

/** Limits the work of expressions, whatever the state that they read. */
export class Budget {
  #left: number;

  constructor(work: number = STEP_EVALUATION_BUDGET) {
    this.#left = work;
  }

  /** Adds `amount` to the work done. Throws `BudgetExceeded` when the total is too much. */
  spend(amount: number): void {
    this.#left -= amount;
    if (this.#left < 0) throw new BudgetExceeded('the evaluation budget of the step is used up');
  }

  /** Charges for the result of an operation. Shared parts count every time, because serialisation repeats them. */
  chargeResult<T extends Json>(result: T): T {
    if (this.sizeOf(result, MAX_RESULT) > MAX_RESULT) throw tooLong();
    return result;
  }

  /** Charges for a result of the given length before it is made. */
  reserve(length: number): void {
    this.spend(Math.min(length, MAX_RESULT));
    if (length > MAX_RESULT) throw tooLong();
  }

  /**
   * The approximate length of the value's JSON text, at most `limit + 1`, where counting stops, so that shared parts cannot multiply without
   * end. A value that is nested too deeply to be serialised counts as too long. Charges `PART_COST` or `KEY_COST` for each part visited.
   */
  sizeOf(value: Json, limit: number): number {
    let size = 0;
    let level: Json[] = [value];
    for (let depth = 0; level.length > 0; depth++) {
      if (depth > MAX_DEPTH) return limit + 1;
      const below: Json[] = [];
      let work = level.length * PART_COST;
      for (const part of level) {
        const held = below.length;
        size += lengthOf(part, below);
        work += (below.length - held) * (Array.isArray(part) ? PART_COST : KEY_COST);
        if (size > limit) break;
      }
      this.spend(work);
      if (size > limit) return limit + 1;
      level = below;
    }
    return size;
  }
}

function tooLong(): ExpressionError {
  return new ExpressionError(`the result would be longer than ${MAX_RESULT} characters or is nested too deeply`);
}

/** The length of a part without its own parts, which are added to `below`. */
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
