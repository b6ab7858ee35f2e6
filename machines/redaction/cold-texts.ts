import type { Cooperative } from '../cooperative.ts';

/** What redacts a text, in parts of a millisecond or so. */
interface TextRedactor {
  textInWindows(text: string): Cooperative<string>;
}

/** Shorter texts are always redacted at once. */
const MIN_LENGTH = 16;
/** Code units of other texts that a computation redacts at once: a few milliseconds. */
const AT_ONCE = 32_768;
/** Of texts and what is left of them, in all. */
const MAX_KEPT_UNITS = 16 * 1024 * 1024;
/** What an entry takes beside its texts, in code units. */
const ENTRY_UNITS = 64;

/**
 * The texts that a computation needs redacted and that were not yet. It cannot wait for them: it is carried out, gets a mask in their place,
 * and is carried out again when they have been redacted in slices, from the beginning. A result is dropped
 * unless `isEmpty`.
 */
export class ColdTexts {
  readonly #missing = new Map<TextRedactor, Set<string>>();
  readonly #redacted = new Map<TextRedactor, Map<string, string>>();
  #left = AT_ONCE;

  get isEmpty(): boolean {
    return this.#missing.size === 0;
  }

  /** Carries out a computation that has no effects. */
  collect<T>(compute: () => T): T {
    const before = collecting;
    collecting = this;
    this.#missing.clear();
    this.#left = AT_ONCE;
    try {
      return compute();
    } finally {
      collecting = before;
    }
  }

  /** Redacts what was missing. */
  *redact(): Cooperative<void> {
    for (const [redactor, texts] of this.#missing) {
      const redacted = this.#redacted.get(redactor) ?? new Map<string, string>();
      this.#redacted.set(redactor, redacted);
      for (const text of texts) {
        const result = yield* redactor.textInWindows(text);
        redacted.set(text, result);
        keep(redactor, text, result);
        yield;
      }
    }
  }

  /** Null = it is missing. Undefined = it can be redacted at once. */
  of(redactor: TextRedactor, text: string): string | null | undefined {
    const known = this.#redacted.get(redactor)?.get(text) ?? kept(redactor, text);
    if (known !== undefined) return known;
    this.#left -= text.length;
    if (this.#left >= 0) return undefined;
    const missing = this.#missing.get(redactor);
    if (missing === undefined) this.#missing.set(redactor, new Set([text]));
    else missing.add(text);
    return null;
  }
}

/** What the computation that is being carried out collects. */
let collecting: ColdTexts | null = null;

/** What is left of a text, if it is long and was redacted before; null = it is missing, undefined = it can be redacted at once. */
export function redactedBefore(redactor: TextRedactor, text: string): string | null | undefined {
  if (text.length < MIN_LENGTH) return undefined;
  return collecting === null ? kept(redactor, text) : collecting.of(redactor, text);
}

// The state has the same texts in step after step, and so have those who read it.

/** Those used last are at the end. */
const texts = new Map<string, Map<TextRedactor, string>>();
let keptUnits = 0;

function kept(redactor: TextRedactor, text: string): string | undefined {
  const results = texts.get(text);
  const result = results?.get(redactor);
  if (results !== undefined && result !== undefined) {
    texts.delete(text);
    texts.set(text, results);
  }
  return result;
}

function keep(redactor: TextRedactor, text: string, result: string): void {
  const results = texts.get(text) ?? new Map<TextRedactor, string>();
  if (results.has(redactor)) return;
  results.set(redactor, result);
  texts.delete(text);
  texts.set(text, results);
  keptUnits += unitsOf(text, result);
  for (const [oldest, all] of texts) {
    if (keptUnits <= MAX_KEPT_UNITS) break;
    texts.delete(oldest);
    for (const left of all.values()) keptUnits -= unitsOf(oldest, left);
  }
}

function unitsOf(text: string, result: string): number {
  return text.length + (result === text ? 0 : result.length) + ENTRY_UNITS;
}
