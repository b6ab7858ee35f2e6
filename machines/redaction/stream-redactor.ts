import { MAX_DETECTED_LENGTH, type Span } from './detectors.ts';
import type { Redactor } from './redactor.ts';
import { replacementOf } from './replacement.ts';

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
    if (this.#stopped) return '';
    const text = this.#held + part;
    const spans = this.#redactor.spansIn(text);
    let open = Math.min(openAt(text), this.#redactor.known.openAt(text));
    // Something to be replaced may go on, so it is held back as a whole.
    for (const { start, end } of spans) if (end > open && start < open) open = start;
    const shown = this.#release(text, open, spans);
    this.#stopped = this.#held.length > MAX_HELD;
    return shown;
  }

  #release(text: string, until: number, spans: readonly Span[]): string {
    this.#held = text.slice(until);
    const { mode } = this.#redactor.rules;
    let shown = '';
    let at = 0;
    for (const { start, end } of spans) {
      if (end > until) break;
      shown += text.slice(at, start) + replacementOf(text.slice(start, end), mode);
      at = end;
    }
    return shown + text.slice(at, until);
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
