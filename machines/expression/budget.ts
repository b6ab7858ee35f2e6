import { isObject, type Json } from '../json.ts';
import { BudgetExceeded, ExpressionError } from './error.ts';

/**
 * Units of work for one step, or for one rendering outside of a step. A unit stands for 5 to 10 ns on one core of 2024, so that a step whose
 * budget is used up has evaluated for less than 100 ms. What an operation costs is part of the semantics: a replay must arrive at the same
 * total, so a change of any cost changes which steps fail.
 */
export const STEP_EVALUATION_BUDGET = 8_000_000;
/** Length of the JSON text that an operation may make. */
const MAX_RESULT = 1_000_000;
/** Items of the longest list that an operation may make: an item's JSON text has at least two characters and a comma. */
export const MAX_PARTS = Math.ceil(MAX_RESULT / 3);
/** Writing JSON is recursive: deeper values overflow the stack. */
const MAX_DEPTH = 1_000;
/** Visiting a part of a value, or taking over an item of a list, in units. */
export const PART_COST = 4;
/** Listing a key of an object, in units. */
export const KEY_COST = 16;
/** Taking one step in the tree of an expression, in units; and taking up an expression. */
export const OPERATION_COST = 5;
export const EVALUATION_COST = 20;

/** Bounds what expressions cost, whatever the state they are evaluated on. */
export class Budget {
  #left: number;

  constructor(work: number = STEP_EVALUATION_BUDGET) {
    this.#left = work;
  }

  /** Throws `BudgetExceeded` when the work so far and `amount` more are too much. */
  spend(amount: number): void {
    this.#left -= amount;
    if (this.#left < 0) throw new BudgetExceeded('the evaluation budget of the step is used up');
  }

  /** Pays for a value made by an operation. Shared parts count every time: they are repeated when it is written down. */
  chargeResult<T extends Json>(result: T): T {
    if (this.sizeOf(result, MAX_RESULT) > MAX_RESULT) throw tooLong();
    return result;
  }

  /** Pays for a result before it is made. */
  reserve(length: number): void {
    this.spend(Math.min(length, MAX_RESULT));
    if (length > MAX_RESULT) throw tooLong();
  }

  /**
   * About the length of the value's JSON text, at most `limit + 1`: stops counting there, so that shared parts cannot explode. What is nested too
   * deeply to be written down counts as too long. Costs `PART` or `KEY` for each part that is looked at.
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
  return new ExpressionError(`the result would be longer than ${MAX_RESULT}, or is nested too deeply`);
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
