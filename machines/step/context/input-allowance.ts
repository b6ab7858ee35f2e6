import { Budget } from '../../expression/budget.ts';
import type { Json } from '../../json.ts';
import { charsUpTo } from '../../json-size.ts';

const MAX_CHARS = 8 * 1024 * 1024;

/** What all inputs that one step records may cost together: evaluation, and size. */
export class InputAllowance {
  readonly #work: number | undefined;
  #budget: Budget | null = null;
  #chars = 0;

  constructor(work: number | undefined) {
    this.#work = work;
  }

  get budget(): Budget {
    this.#budget ??= new Budget(this.#work);
    return this.#budget;
  }

  /** Takes the size of an input; false = it does not fit. `size`: its characters, if they are known. */
  take(input: Json, size = charsUpTo(input, MAX_CHARS - this.#chars)): boolean {
    const chars = this.#chars + size;
    if (chars > MAX_CHARS) return false;
    this.#chars = chars;
    return true;
  }
}
