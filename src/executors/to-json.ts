import { types } from 'node:util';
import type { Json } from '../../machines/json.ts';
import { shortened } from '../../machines/shortened.ts';
import { WorkError } from './executor.ts';

const INVALID_UNICODE = 'not valid Unicode (an unpaired surrogate)';

export const MAX_RESULT_DEPTH = 1_000;
/** Characters of JSON text, without escapes. */
export const MAX_RESULT_LENGTH = 8 * 1024 * 1024;

/**
 * Copies and validates `value` as JSON in one pass. Like `JSON.stringify`, it calls `toJSON`, unboxes primitives, omits `undefined`
 * properties and writes `undefined` as null elsewhere. Values that `JSON.stringify` would drop or refuse (functions, symbols, bigints, NaN,
 * Map, Set, cycles …) throw a non-retryable `WorkError` of class `validation` with the path.
 */
export function toJson(value: unknown, name = 'result', maxLength = MAX_RESULT_LENGTH): Json {
  const copier = new Copier(name, maxLength);
  try {
    return copier.copy(value, '');
  } catch (error) {
    if (error instanceof WorkError) throw error;
    throw copier.refuse(`reading it failed: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

class Copier {
  readonly #name: string;
  readonly #path: (string | number)[] = [];
  readonly #maxLength: number;
  #length = 0;

  constructor(name: string, maxLength: number) {
    this.#name = name;
    this.#maxLength = maxLength;
  }

  copy(value: unknown, key: string): Json {
    switch (typeof value) {
      case 'string':
        this.#count(value.length + 3);
        if (!value.isWellFormed()) throw this.refuse(INVALID_UNICODE);
        return value;
      case 'boolean':
        this.#count(6);
        return value;
      case 'number':
        if (!Number.isFinite(value)) throw this.refuse(`${value} is not JSON`);
        this.#count(8);
        // Adding 0 turns -0, which JSON does not have, into 0.
        return value + 0;
      case 'undefined':
        this.#count(5);
        return null;
      case 'object':
        if (value !== null) return this.#object(value, key);
        this.#count(5);
        return null;
      default:
        throw this.refuse(`a ${typeof value} is not JSON`);
    }
  }

  #object(value: object, key: string): Json {
    if ('toJSON' in value && typeof value.toJSON === 'function') {
      const written: unknown = value.toJSON(key);
      if (written === value) return this.#members(value);
      return typeof written === 'object' && written !== null ? this.#members(written) : this.copy(written, key);
    }
    return this.#members(value);
  }

  #members(value: object): Json {
    if (this.#path.length >= MAX_RESULT_DEPTH) {
      throw this.refuse(`nested more than ${MAX_RESULT_DEPTH} levels deep, or in a cycle`);
    }
    this.#count(3);
    if (Array.isArray(value)) {
      const copy: Json[] = [];
      for (let index = 0; index < value.length; index += 1) {
        this.#path.push(index);
        copy.push(this.copy(value[index], String(index)));
        this.#path.pop();
      }
      return copy;
    }
    if (types.isBoxedPrimitive(value)) return this.copy(value.valueOf(), '');
    if (
      types.isMap(value) ||
      types.isSet(value) ||
      types.isPromise(value) ||
      types.isAnyArrayBuffer(value) ||
      ArrayBuffer.isView(value)
    ) {
      throw this.refuse(`a ${value.constructor.name} is not JSON`);
    }
    const copy: Record<string, Json> = {};
    for (const key of Object.keys(value)) {
      const member = (value as Record<string, unknown>)[key];
      if (member === undefined) continue;
      this.#path.push(key);
      if (key === '__proto__') throw this.refuse('"__proto__" is not allowed as a key');
      if (!key.isWellFormed()) throw this.refuse(INVALID_UNICODE);
      this.#count(key.length + 4);
      copy[key] = this.copy(member, key);
      this.#path.pop();
    }
    return copy;
  }

  #count(characters: number): void {
    this.#length += characters;
    if (this.#length > this.#maxLength) {
      this.#path.length = 0;
      throw this.refuse(`larger than ${this.#maxLength / 1024 / 1024} MiB`);
    }
  }

  refuse(problem: string, cause?: unknown): WorkError {
    const steps = this.#path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
    const where = `${this.#name}${shortened(steps, 200)}`;
    return new WorkError(`${where}: ${problem}`, { cause, retryable: false, errorClass: 'validation' });
  }
}
