import type { Json, JsonObject } from '../../../machines/json.ts';
import { shortened } from '../../../machines/shortened.ts';
import { type Check, compiled, type SchemaUse } from './compiled.ts';
import { inThread } from './in-thread.ts';
import { withinTime } from './time-limit.ts';

/** Longest time for which a schema or a value may hold the event loop. */
const QUICK_MS = 50;
/** One that was stopped before it had used this part of it is slow because the machine is busy. */
const USED_PART = 0.9;

/** The schema cannot check anything. */
export class UnusableSchema extends Error {}

/**
 * The check of a JSON Schema, compiled at its first use. An author chooses the schema, and may choose the values: what does not end at once goes on in a
 * thread, where it is stopped if it takes too long.
 */
export class SchemaCheck {
  readonly #schema: JsonObject;
  readonly #use: SchemaUse;
  #check: Check | null = null;
  /** It has held the event loop once. */
  #isSlow = false;

  constructor(schema: JsonObject, use: SchemaUse) {
    this.#schema = schema;
    this.#use = use;
  }

  /** What is wrong with the value; null = it fits. Rejects with `UnusableSchema`. */
  async problemOf(value: Json): Promise<string | null> {
    const check = await this.#compiled();
    const found = check === null ? null : this.#quickly(() => check(value));
    return found === null ? this.#inThread({ value }) : found.value;
  }

  /** Rejects with `UnusableSchema`. */
  async assertUsable(): Promise<void> {
    if ((await this.#compiled()) === null) await this.#inThread({});
  }

  /** Null = it does not compile at once. */
  async #compiled(): Promise<Check | null> {
    if (this.#isSlow) return null;
    const { Ajv } = await import('ajv');
    try {
      this.#check ??= this.#quickly(() => compiled(Ajv, this.#schema, this.#use))?.value ?? null;
    } catch (cause) {
      throw unusable(cause instanceof Error ? cause.message : String(cause), cause);
    }
    return this.#check;
  }

  /** Null = it was stopped. */
  #quickly<T>(run: () => T): { readonly value: T } | null {
    const before = process.cpuUsage();
    const result = withinTime(QUICK_MS, run);
    if (result !== null) return result;
    const { user, system } = process.cpuUsage(before);
    this.#isSlow ||= user + system >= USED_PART * QUICK_MS * 1_000;
    return null;
  }

  async #inThread(asked: { readonly value?: Json }): Promise<string | null> {
    const answer = await inThread(this, { schema: this.#schema, use: this.#use, ...asked });
    if ('unusable' in answer) throw unusable(answer.unusable);
    return answer.problem;
  }
}

function unusable(reason: string, cause?: unknown): UnusableSchema {
  return new UnusableSchema(shortened(reason, 300), { cause });
}
