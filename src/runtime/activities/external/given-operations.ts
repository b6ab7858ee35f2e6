import { pathOf } from '../../../../machines/appended-lists.ts';
import type { OperationKind } from '../../../../machines/journal.ts';
import { isObject, type Json, type JsonObject } from '../../../../machines/json.ts';
import { MAX_LEVELS } from '../../../../machines/limits.ts';
import type { OperationEntry } from '../../../../machines/messages.ts';
import { shortened } from '../../../../machines/shortened.ts';
import { MAX_POINTER_KEYS, type SnapshotChange } from '../../../../machines/snapshot-change.ts';
import { didYouMean } from '../../../../machines/suggest.ts';
import { toStorableText } from '../../../../machines/unicode.ts';
import { checkedName, LAST_TIME_MS } from '../../../executors/durable/names.ts';
import { WorkError } from '../../../executors/executor.ts';
import { givenDetails } from '../../../executors/given-details.ts';
import { inputSchemaProblem } from '../../../executors/input-schema.ts';
import { RuntimeError } from '../../errors.ts';
import type { Slice } from '../../scheduling/time-slices.ts';
import type { GivenOperation } from '../../types/work.ts';

/** What a worker says of a durable function, checked. Throws `bad_request` with the place. */
export function checkedOperations(given: readonly GivenOperation[]): readonly OperationEntry[] {
  const allowance = { pointerKeys: MAX_POINTER_KEYS };
  return given.map((operation, index) => new Given(operation, `operations[${index}]`, allowance).entry());
}

/** Throws `bad_request`, with the place, for a schema that cannot check updates. */
export async function assertUsableSchemas(entries: readonly OperationEntry[], slice: Slice): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    if (entry.type !== 'begin' || entry.schema === undefined) continue;
    const turn = slice.next();
    if (turn !== null) await turn;
    const problem = await inputSchemaProblem(entry.schema);
    if (problem === null) continue;
    const { name } = entry;
    throw new RuntimeError('bad_request', `operations[${index}].schema: it cannot check updates "${name}": ${problem}`);
  }
}

/** The fields of an operation that begins, besides its number and its name, by its kind. */
const BEGINS: Readonly<Record<Exclude<OperationKind, 'transition'>, (given: Given) => Partial<OperationEntry>>> = {
  step: () => ({}),
  value: () => ({}),
  expose: (given) => ({ exposed: given.object('exposed') }),
  handler: (given) => given.optional('schema', (field) => given.object(field)),
  sleep: (given) => given.oneOf('limitMs', 'untilMs'),
  event: (given) => ({ ...given.oneOf('key', 'accepts'), ...given.optional('limitMs', (field) => given.duration(field)) }),
  approval: (given) => ({ message: given.text('message'), ...given.optional('limitMs', (field) => given.duration(field)) }),
  call: (given) => ({
    workflow: given.named('workflow'),
    input: given.json('input'),
    ...given.optional('version', (field) => given.named(field)),
  }),
  continue: (given) => ({ input: given.json('input') }),
};

const ENTRIES: Readonly<Record<OperationEntry['type'], (given: Given) => object>> = {
  begin: (given) => given.begin(),
  complete: (given) => ({
    output: given.json('output'),
    ...given.attempt(),
    ...given.optional('durationMs', (field) => given.duration(field)),
  }),
  fail: (given) => ({
    error: toStorableText(given.text('error')),
    ...given.attempt(),
    ...given.optional('errorClass', (field) => toStorableText(given.text(field))),
    ...given.optional('details', (field) => givenDetails(given.object(field)) ?? {}),
    ...given.optional('delayMs', (field) => given.duration(field)),
  }),
  update: (given) => ({ update: given.number('update', 1), ...given.outcome() }),
  cancel: (given) => ({ operation: given.number('operation', 1) }),
  transition: (given) => ({
    operation: given.number('operation', 1),
    event: given.text('event'),
    value: given.json('value'),
    actions: given.operation.actions ?? [],
    ...given.optional('actor', (field) => given.text(field)),
    ...given.optional('emitted', (field) => given.json(field)),
    ...given.optional('snapshot', (field) => given.change(field)),
  }),
};

type Field = Exclude<keyof GivenOperation, 'type'>;

/** Reads the fields of an operation. Each method throws for a field that is missing or not valid. */
class Given {
  readonly operation: GivenOperation;
  readonly #place: string;
  /** What all operations of the request have left. */
  readonly #allowance: { pointerKeys: number };

  constructor(operation: GivenOperation, place: string, allowance: { pointerKeys: number }) {
    this.operation = operation;
    this.#place = place;
    this.#allowance = allowance;
  }

  entry(): OperationEntry {
    const { type } = this.operation;
    return Object.assign({ type }, this.#known(ENTRIES, type, 'type')(this)) as OperationEntry;
  }

  begin(): object {
    const kind = this.text('kind');
    const details = this.#known(BEGINS, kind, 'kind')(this);
    return { operation: this.number('operation', 1), name: this.named('name'), kind, ...details };
  }

  attempt(): object {
    return { operation: this.number('operation', 1), attempt: this.number('attempt', 0) };
  }

  /** Of an update. */
  outcome(): object {
    if (this.operation.error == null) return { output: this.json('output') };
    const error = toStorableText(this.text('error'));
    return { error, ...this.optional('errorClass', (field) => toStorableText(this.text(field))) };
  }

  /** Nothing if the field is absent. */
  optional<F extends Field>(field: F, read: (field: F) => unknown): object {
    return this.operation[field] == null ? {} : { [field]: read(field) };
  }

  /** Exactly one of two fields. */
  oneOf(one: 'limitMs' | 'key', other: 'untilMs' | 'accepts'): object {
    const [hasOne, hasOther] = [this.operation[one] != null, this.operation[other] != null];
    if (hasOne === hasOther) throw this.#invalid(one, `exactly one of ${wireName(one)} and ${wireName(other)} is needed`);
    if (one === 'key') return hasOne ? { key: this.named(one) } : { accepts: this.operation.accepts ?? [] };
    return hasOne ? { [one]: this.duration(one) } : { [other]: this.#time() };
  }

  named(field: 'name' | 'key' | 'workflow' | 'version'): string {
    try {
      return checkedName(this.#placeOf(field), this.operation[field] ?? undefined);
    } catch (error) {
      throw error instanceof WorkError ? new RuntimeError('bad_request', error.message) : error;
    }
  }

  text(field: 'kind' | 'message' | 'error' | 'errorClass' | 'event' | 'actor'): string {
    const { [field]: text } = this.operation;
    if (typeof text !== 'string' || text === '') throw this.#invalid(field, 'a text is needed');
    return text;
  }

  number(field: 'operation' | 'attempt' | 'update', least: number): number {
    const { [field]: number } = this.operation;
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < least)
      throw this.#invalid(field, `a whole number of at least ${least} is needed`);
    return number;
  }

  duration(field: 'limitMs' | 'durationMs' | 'delayMs'): number {
    const { [field]: ms } = this.operation;
    if (typeof ms !== 'number' || !(ms >= 0) || ms > LAST_TIME_MS / 2)
      throw this.#invalid(field, `milliseconds from 0 to ${LAST_TIME_MS / 2} are needed`);
    return Math.round(ms);
  }

  object(field: 'exposed' | 'schema' | 'details'): JsonObject {
    const { [field]: object } = this.operation;
    if (!isObject(object)) throw this.#invalid(field, 'an object is needed');
    return object;
  }

  /** Null is a value. */
  json(field: 'output' | 'input' | 'value' | 'emitted'): Json {
    const { [field]: json } = this.operation;
    if (json === undefined) throw this.#invalid(field, 'a value is needed, which may be null');
    return json as Json;
  }

  change(field: 'snapshot'): SnapshotChange {
    const { set, removed } = this.operation[field] ?? {};
    const isRemoved = Array.isArray(removed) && removed.every((pointer) => typeof pointer === 'string');
    if (!isObject(set) || !isRemoved) throw this.#invalid(field, '{set: {pointer: value}, removed: [pointer]} is needed');
    if (Object.hasOwn(set, '') && !isObject(set[''])) throw this.#invalid(field, 'the whole snapshot, at "", is an object');
    for (const pointer of removed) this.#checkPointer(pointer, null);
    for (const [pointer, value] of Object.entries(set)) if (pointer !== '') this.#checkPointer(pointer, value);
    return { set, removed };
  }

  /** `value`: null = none is set there. */
  #checkPointer(pointer: string, value: Json): void {
    const invalid = (problem: string): RuntimeError =>
      this.#invalid('snapshot', `the pointer "${shortened(pointer, 200)}" ${problem}`);
    if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) throw invalid('is no JSON pointer (RFC 6901)');
    if (pointer.split('/', MAX_LEVELS + 2).length > MAX_LEVELS + 1) throw invalid(`has more than ${MAX_LEVELS} keys`);
    const path = pathOf(pointer);
    this.#allowance.pointerKeys -= path.length;
    if (this.#allowance.pointerKeys < 0)
      throw this.#invalid('snapshot', `the pointers of a request have at most ${MAX_POINTER_KEYS.toLocaleString('en')} keys`);
    const isPrototype = (key: string, index: number): boolean => key === 'prototype' && path[index - 1] === 'constructor';
    const leadsToPrototype = path.at(-1) === 'constructor' && isObject(value) && Object.hasOwn(value, 'prototype');
    if (path.includes('__proto__') || path.some(isPrototype) || leadsToPrototype) throw invalid('has a key that is not allowed');
  }

  #time(): number {
    const { untilMs } = this.operation;
    if (typeof untilMs !== 'number' || Math.abs(untilMs) > LAST_TIME_MS)
      throw this.#invalid('untilMs', 'milliseconds since 1970 are needed');
    return Math.round(untilMs);
  }

  #known<T>(of: Readonly<Record<string, T>>, name: string, field: 'type' | 'kind'): T {
    const known = Object.hasOwn(of, name) ? of[name] : undefined;
    if (known !== undefined) return known;
    const names = Object.keys(of);
    const near = didYouMean(name, names);
    throw this.#invalid(
      field,
      `it is one of ${names.join(', ')}, not ${JSON.stringify(name.slice(0, 50))}${near === null ? '' : `: ${near}`}`,
    );
  }

  #placeOf(field: string): string {
    return `${this.#place}.${wireName(field)}`;
  }

  #invalid(field: string, problem: string): RuntimeError {
    return new RuntimeError('bad_request', `${this.#placeOf(field)}: ${problem}`);
  }
}

/** As the API spells it. */
function wireName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
