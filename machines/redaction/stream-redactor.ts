import { type Cooperative, runToEnd } from '../cooperative.ts';
import { MAX_DETECTED_LENGTH } from './detectors.ts';
import type { Redactor } from './redactor.ts';

const BETWEEN_WORDS = /[\s,;!?"<>[\]{}|]/;
const IN_NUMBER = /[\d .\-/()+\u00a0]/;
const BEGINS_NUMBER = /[\d+(]/;
/** So much is held back at most, in UTF-16 code units: a text that might have something longer to be replaced is not shown any further. */
const MAX_HELD = 65_536;

/** Redacts a text that comes in parts. Holds back the end of what there is, while it may be the beginning of something to be replaced. */
export class StreamRedactor {
  readonly #redactor: Redactor;
  #held = '';
  #stopped = false;

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** Returns what can be shown. */
  push(part: string): string {
    return runToEnd(this.pushInWindows(part));
  }

  /** The same of a long part, in parts of a millisecond or so. Push no other part meanwhile. */
  *pushInWindows(part: string): Cooperative<string> {
    if (this.#stopped) return '';
    const text = this.#held + part;
    const spans = yield* this.#redactor.spansInWindows(text);
    let open = Math.min(openAt(text), yield* this.#redactor.known.openAt(text));
    // Something to be replaced may go on, so it is held back as a whole.
    for (const { start, end } of spans) if (end > open && start < open) open = start;
    this.#held = text.slice(open);
    this.#stopped = this.#held.length > MAX_HELD;
    return yield* this.#redactor.replacedInWindows(text, spans, open);
  }
}

/** Where the last word, or the last number with its separators, begins: it may continue in the next part. */
function openAt(text: string): number {
  const from = Math.max(0, text.length - MAX_DETECTED_LENGTH);
  let word = text.length;
  while (word > from && !BETWEEN_WORDS.test(text.charAt(word - 1))) word -= 1;
  let number = text.length;
  while (number > from && IN_NUMBER.test(text.charAt(number - 1))) number -= 1;
  while (number < text.length && !BEGINS_NUMBER.test(text.charAt(number))) number += 1;
  return Math.min(word, number);
}
