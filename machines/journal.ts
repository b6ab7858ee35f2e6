import type { Json, JsonObject } from './json.ts';
import { charsUpTo } from './json-size.ts';
import { above, below, concat, firstIn, forEachIn, get, put, type SortedMap } from './sorted-map.ts';

/**
 * What an operation of a durable function does: `step` runs code of the function, `value` records a value that the function was given (a time, a
 * random number, a version), `expose` changes what readers see of the function, `transition` records what an XState machine has done, `handler` says which
 * updates it takes, `call` runs another execution, `continue` ends this one, which another one continues, the others wait.
 */
export type OperationKind =
  | 'step'
  | 'value'
  | 'expose'
  | 'transition'
  | 'handler'
  | 'sleep'
  | 'event'
  | 'approval'
  | 'call'
  | 'continue';

/** An operation, as a part of a journal has it. */
export interface PartOperation {
  /** 1, 2, 3 …: the order in which the function has begun its operations. */
  readonly number: number;
  readonly name: string;
  readonly kind: OperationKind;
  /** 0-based. */
  readonly attempt: number;
  readonly status: 'running' | 'backoff' | 'waiting' | 'completed' | 'failed' | 'cancelled';
}

/** An operation of a durable function. */
export interface Operation extends PartOperation {
  /** Results that the visit had when it began. */
  readonly after: number;
  /** Sequence of the event with which it began; of an approval, with which the person is asked. */
  readonly since: number;
  /** Time of that event, in milliseconds since 1970. */
  readonly atMs: number;
  /** When its timer fires, in milliseconds since 1970. */
  readonly fireAtMs?: number;
  /** Correlation key of the event that it waits for. */
  readonly key?: string;
  /** Descriptors of the events that it waits for, in place of `key`: types, `order.*`, `*`. */
  readonly accepts?: readonly string[];
  /** What a person is asked. */
  readonly message?: string;
  /** Which workflow it calls; without a version, the one registered last. */
  readonly workflow?: string;
  readonly version?: string;
  /** What the called workflow is given, until it has completed, or the function in the execution that continues this one. */
  readonly input?: Json;
  /** JSON Schema of the updates that it takes; absent = any. */
  readonly schema?: JsonObject;
  /** How long a person may take, from when the person is asked. */
  readonly limitMs?: number;
  /** A person is asked: a visit asks one question at a time. */
  readonly asked?: true;
  readonly output?: Json;
  /** `error` and the fields of a failure. */
  readonly failure?: JsonObject;
}

/** Operations that one visit may have, besides the one with which it continues as another execution. */
export const MAX_OPERATIONS = 10_000;
/** Operations that a worker commits at once. */
export const MAX_COMMITTED_OPERATIONS = 1_000;
/** Characters of JSON of all operations of a visit in a worker, and their results: they are in memory with the execution. */
export const MAX_JOURNAL_CHARS = 32 * 1024 * 1024;

/** What a caller has sent to a function. The function is given it in the order of the log, like a result. */
export interface Update {
  /** 1, 2, 3 …: the order in which they came. */
  readonly number: number;
  /** Sequence of the event with which it came. */
  readonly sequence: number;
  /** Among the results. */
  readonly position: number;
  readonly name: string;
  readonly input: Json;
  /** What has come of it is in the log. */
  readonly isHandled?: true;
}

/** Updates that one visit takes, and characters of JSON of their inputs: they are in memory with the execution. */
export const MAX_UPDATES = 10_000;
export const MAX_UPDATE_CHARS = 8 * 1024 * 1024;

interface StoredJournal {
  readonly state: JsonObject;
  readonly input?: Json;
  readonly operations: readonly Operation[];
  /** Numbers of operations, each with the position of its result. */
  readonly results: readonly (readonly [position: number, operation: number])[];
  readonly settled: number;
  readonly updates?: readonly Update[];
}

/** What a function is given next. */
export type Result =
  | { readonly position: number; readonly operation: Operation }
  | { readonly position: number; readonly update: Update };

/** How much of a journal a copy of it has. */
export interface KnownJournal {
  /** The number of the last operation. */
  readonly operations: number;
  /** The position of the last result. */
  readonly results: number;
}

/** A result, as a part of a journal has it. */
export interface PartResult {
  readonly position: number;
  /** The number of the operation; absent = it is an update. */
  readonly operation?: number;
  readonly output?: Json;
  readonly failure?: JsonObject;
  /** The number of the update. */
  readonly update?: number;
  readonly name?: string;
  readonly input?: Json;
  readonly isHandled?: true;
}

/** What a copy of a journal lacks, or the first part of it. */
export interface JournalPart {
  /** Operations that have begun or changed, without their results. */
  readonly operations: readonly PartOperation[];
  /** In order. */
  readonly results: readonly PartResult[];
  /** The copy lacks more. */
  readonly isPartial: boolean;
}

interface Parts {
  readonly state: JsonObject;
  readonly input: Json | undefined;
  readonly operations: SortedMap<Operation>;
  /** By position: the number of an operation, or of an update. */
  readonly results: SortedMap<{ readonly position: number; readonly number: number; readonly isUpdate?: true }>;
  readonly open: SortedMap<Operation>;
  readonly size: number;
  readonly settled: number;
  readonly asked: Operation | null;
  readonly handlers: SortedMap<Operation>;
  readonly chars: number;
  /** By number. */
  readonly updates: SortedMap<Update>;
  readonly updateCount: number;
  readonly updateChars: number;
}

/**
 * The operations of a visit to a durable function and their results, in the order in which they were committed. Immutable; a change copies only a path,
 * however many operations there are.
 */
export class Journal {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static begun(state: JsonObject, input?: Json): Journal {
    return new Journal(Object.assign({}, NOTHING, { state, input }));
  }

  #with(change: Partial<Parts>): Journal {
    return new Journal(Object.assign({}, this.#parts, change));
  }

  /** The state when the visit began: its input is made of it, whatever becomes of the state. */
  get state(): JsonObject {
    return this.#parts.state;
  }

  /** What the function is given, if the visit continues one of another execution; undefined = what its node says. */
  get input(): Json | undefined {
    return this.#parts.input;
  }

  /** Number of operations that have begun. */
  get size(): number {
    return this.#parts.size;
  }

  /** Position of the last result: 1, 2, 3 … */
  get settled(): number {
    return this.#parts.settled;
  }

  /** The approval that a person is asked for; null = none. */
  get asked(): Operation | null {
    return this.#parts.asked;
  }

  /** Characters of JSON of the operations, as they began, and of their results. */
  get chars(): number {
    return this.#parts.chars;
  }

  /** The operations that say which updates the function takes. */
  get handlers(): readonly Operation[] {
    return allOf(this.#parts.handlers);
  }

  update(number: number): Update | undefined {
    return get(this.#parts.updates, number);
  }

  /** The numbers of updates are 1, 2, 3 … */
  get updateCount(): number {
    return this.#parts.updateCount;
  }

  /** Is the update that came with the event yet to be handled? */
  isPending(sequence: number): boolean {
    // They are in the order of their sequences.
    let [from, to] = [1, this.updateCount];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      if ((this.update(middle)?.sequence ?? 0) < sequence) from = middle + 1;
      else to = middle;
    }
    const found = this.update(from);
    return found?.sequence === sequence && found.isHandled !== true;
  }

  /** May the visit take another update? */
  takesUpdate(input: Json): boolean {
    const { updateCount, updateChars } = this.#parts;
    return updateCount < MAX_UPDATES && updateChars + charsUpTo(input, MAX_UPDATE_CHARS) <= MAX_UPDATE_CHARS;
  }

  get(number: number): Operation | undefined {
    return get(this.#parts.operations, number);
  }

  /** The operation while it has no result; undefined = it has one, or has not begun. */
  open(number: number): Operation | undefined {
    return get(this.#parts.open, number);
  }

  /** Those without a result, in the order in which they began. */
  allOpen(): readonly Operation[] {
    return allOf(this.#parts.open);
  }

  /** The first result after a position; undefined = there is none. */
  resultAfter(after: number): Result | undefined {
    const found = firstIn(this.#parts.results, after + 1, Number.POSITIVE_INFINITY);
    if (found === undefined) return undefined;
    const { position, number, isUpdate } = found;
    if (isUpdate === true) {
      const update = this.update(number);
      return update === undefined ? undefined : { position, update };
    }
    const operation = this.get(number);
    return operation === undefined ? undefined : { position, operation };
  }

  /** Is there an operation that is to run, or runs? */
  get hasRunning(): boolean {
    return this.allOpen().some(({ status }) => status === 'running');
  }

  /** Does the visit only wait for people, events and times? A delay before a retry, and a called workflow, count as work. */
  get isParked(): boolean {
    return !this.allOpen().some(({ status, kind }) => status === 'backoff' || kind === 'call');
  }

  /** An operation begins, or changes without a result. */
  with(operation: Operation): Journal {
    const { number } = operation;
    const { operations, open, size, asked } = this.#parts;
    return this.#with({
      operations: put(operations, number, operation),
      open: put(open, number, operation),
      size: Math.max(size, number),
      chars: this.#charsWith(operation),
      asked: operation.asked === true ? operation : asked,
    });
  }

  /** An operation is over and has no result: the function is given nothing. */
  close(operation: Operation): Journal {
    const { number } = operation;
    const { operations, open, size, asked } = this.#parts;
    return this.#with({
      operations: put(operations, number, operation),
      open: concat(below(open, number), above(open, number)),
      size: Math.max(size, number),
      chars: this.#charsWith(operation),
      asked: asked?.number === number ? null : asked,
    });
  }

  #charsWith(operation: Operation): number {
    const { chars, size } = this.#parts;
    return operation.number <= size ? chars : chars + charsOf(operation as unknown as Json);
  }

  /** An operation has its result. */
  settle(operation: Operation): Journal {
    const { number, kind } = operation;
    const { operations, results, open, asked, settled, handlers, chars } = this.#parts;
    const position = settled + 1;
    return this.#with({
      chars: chars + charsOf(operation.output ?? null),
      operations: put(operations, number, operation),
      results: put(results, position, { position, number }),
      open: concat(below(open, number), above(open, number)),
      settled: position,
      asked: asked?.number === number ? null : asked,
      handlers: kind === 'handler' ? put(handlers, number, operation) : handlers,
    });
  }

  /** A caller has sent something. */
  receive(update: Omit<Update, 'position'>): Journal {
    const { results, settled } = this.#parts;
    const position = settled + 1;
    const { number } = update;
    return this.#putUpdate(Object.assign({ position }, update)).#with({
      results: put(results, position, { position, number, isUpdate: true }),
      settled: position,
    });
  }

  /** What has come of an update is in the log. */
  handled(update: Update): Journal {
    return this.#with({
      updates: put(this.#parts.updates, update.number, Object.assign({}, update, { isHandled: true } as const)),
    });
  }

  #putUpdate(update: Update): Journal {
    const { updates, updateCount, updateChars } = this.#parts;
    return this.#with({
      updates: put(updates, update.number, update),
      updateCount: updateCount + 1,
      updateChars: updateChars + charsUpTo(update.input, MAX_UPDATE_CHARS),
    });
  }

  /**
   * The journal for another attempt: steps and calls that failed run again, unless the function has begun something after their failure, which may depend on it.
   */
  reopened(): Journal {
    const kept = this.get(this.size)?.after ?? 0;
    const failed: { readonly position: number; readonly operation: Operation }[] = [];
    for (let next = this.resultAfter(kept); next !== undefined; next = this.resultAfter(next.position))
      if ('operation' in next && next.operation.status === 'failed') failed.push(next);
    if (failed.length === 0) return this;
    let { operations, results, open } = this.#parts;
    for (const { position, operation } of failed) {
      const { failure: _, ...rest } = operation;
      const again: Operation = { ...rest, status: initialStatus(rest.kind), attempt: 0 };
      operations = put(operations, again.number, again);
      open = put(open, again.number, again);
      results = concat(below(results, position), above(results, position));
    }
    return this.#with({ operations, results, open });
  }

  /**
   * What a copy lacks: operations after those that it knows, those that are named, steps that are attempted again, and results. It ends after about
   * `maxChars` characters of JSON.
   */
  partAfter(known: KnownJournal, named: ReadonlySet<number>, maxChars: number): JournalPart {
    const isChanged = ({ number, status, attempt }: Operation): boolean =>
      number <= known.operations && !named.has(number) && status === 'running' && attempt > 0;
    const changed = [...named].filter((number) => number <= known.operations).flatMap((number) => this.get(number) ?? []);
    const operations = [...changed, ...this.allOpen().filter(isChanged)].map(shownOperation);
    let chars = 0;
    let last = Math.min(known.operations, this.size);
    for (; last < this.size && chars <= maxChars; last += 1) {
      const operation = this.get(last + 1);
      if (operation === undefined) throw new TypeError(`the journal has no operation ${last + 1}`);
      operations.push(shownOperation(operation));
      chars += operation.name.length + SHOWN_OPERATION_CHARS;
    }
    const results: PartResult[] = [];
    let next = last < this.size ? undefined : this.resultAfter(known.results);
    for (; next !== undefined && chars <= maxChars; next = this.resultAfter(next.position)) {
      const result = shownResult(next);
      results.push(result);
      chars += charsUpTo(result as unknown as Json, maxChars);
    }
    return { operations, results, isPartial: last < this.size || next !== undefined };
  }

  /** The copy with what it lacked. */
  withPart({ operations: given, results: added }: Pick<JournalPart, 'operations' | 'results'>): Journal {
    let { operations, open, results, updates, size, settled } = this.#parts;
    const set = (operation: Operation): void => {
      const { number } = operation;
      operations = put(operations, number, operation);
      open = isSettled(operation) ? concat(below(open, number), above(open, number)) : put(open, number, operation);
      size = Math.max(size, number);
    };
    for (const one of given) set(Object.assign({ after: 0, since: 0, atMs: 0 }, get(operations, one.number), one));
    for (const { position, operation, update, name = '', input = null, isHandled, output, failure } of added) {
      if (position <= settled) continue;
      const known = operation === undefined ? undefined : get(operations, operation);
      if (known !== undefined) {
        const outcome = failure === undefined ? { status: 'completed', output: output ?? null } : { status: 'failed', failure };
        set(Object.assign({}, known, outcome as Pick<Operation, 'status' | 'output' | 'failure'>));
        results = put(results, position, { position, number: known.number });
      } else if (update !== undefined) {
        const handled = isHandled === true ? { isHandled } : {};
        updates = put(updates, update, Object.assign({ number: update, sequence: 0, position, name, input }, handled));
        results = put(results, position, { position, number: update, isUpdate: true });
      } else throw new TypeError(`result ${position} is of no operation that the journal has`);
      settled = position;
    }
    return this.#with({ operations, open, results, updates, size, settled });
  }

  toJSON(): StoredJournal {
    const { state, input, settled } = this.#parts;
    const results = allOf(this.#parts.results).filter(({ isUpdate }) => isUpdate !== true);
    const updates = allOf(this.#parts.updates);
    return {
      state,
      ...(input === undefined ? {} : { input }),
      operations: allOf(this.#parts.operations),
      results: results.map(({ position, number }) => [position, number] as const),
      settled,
      ...(updates.length === 0 ? {} : { updates }),
    };
  }

  /** The journal that `toJSON` has given. */
  static from({ state, input, operations: stored, results: positions, settled, updates = [] }: StoredJournal): Journal {
    let { operations, open, results } = NOTHING;
    for (const operation of stored) {
      operations = put(operations, operation.number, operation);
      if (!isSettled(operation)) open = put(open, operation.number, operation);
    }
    for (const [position, number] of positions) results = put(results, position, { position, number });
    for (const { position, number } of updates) results = put(results, position, { position, number, isUpdate: true });
    const asked = stored.find((operation) => operation.asked === true && !isSettled(operation)) ?? null;
    let { handlers } = NOTHING;
    for (const operation of stored) if (operation.kind === 'handler') handlers = put(handlers, operation.number, operation);
    const chars = stored.reduce((sum, operation) => sum + charsOf(operation as unknown as Json), 0);
    const parts = { state, input, operations, open, results, settled, asked, handlers, chars, size: stored.length };
    return updates.reduce((journal, update) => journal.#putUpdate(update), new Journal(Object.assign({}, NOTHING, parts)));
  }
}

const NOTHING: Parts = {
  state: {},
  input: undefined,
  operations: null,
  results: null,
  open: null,
  size: 0,
  settled: 0,
  asked: null,
  handlers: null,
  chars: 0,
  updates: null,
  updateCount: 0,
  updateChars: 0,
};

function charsOf(value: Json): number {
  return charsUpTo(value, MAX_JOURNAL_CHARS);
}

function allOf<T>(map: SortedMap<T>): T[] {
  const all: T[] = [];
  forEachIn(map, 0, Number.POSITIVE_INFINITY, (one) => all.push(one));
  return all;
}

/** Characters of JSON of an operation in a part, without its name. */
const SHOWN_OPERATION_CHARS = 80;

function shownOperation({ number, name, kind, attempt, status }: Operation): PartOperation {
  return { number, name, kind, attempt, status };
}

function shownResult(result: Result): PartResult {
  const { position } = result;
  if ('update' in result) {
    const { number: update, name, input, isHandled } = result.update;
    return { position, update, name, input, ...(isHandled === true ? { isHandled } : {}) };
  }
  const { number: operation, output = null, failure } = result.operation;
  return failure === undefined ? { position, operation, output } : { position, operation, failure };
}

/** The status of an operation that begins. */
export function initialStatus(kind: OperationKind): 'running' | 'waiting' {
  return kind === 'step' || kind === 'value' || kind === 'expose' || kind === 'handler' ? 'running' : 'waiting';
}

function isSettled({ status }: Operation): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** Does an operation wait for an event with this key? Events of XState's own are no external ones. */
export function awaits({ key: awaited, accepts }: Operation, key: string): boolean {
  return accepts === undefined ? awaited === key : isDescribed(accepts, key);
}

/** Does one of the descriptors stand for events of this type, as in XState? */
export function isDescribed(descriptors: readonly string[], type: string): boolean {
  return !type.startsWith('xstate.') && descriptors.some((descriptor) => describes(descriptor, type));
}

function describes(descriptor: string, type: string): boolean {
  if (descriptor === '*' || descriptor === type) return true;
  if (!descriptor.endsWith('.*')) return false;
  const family = descriptor.slice(0, -2);
  return type === family || type.startsWith(`${family}.`);
}

/** The id of the timer of an operation. */
export function operationTimerId(node: string, number: number): string {
  return `operation:${number}:${node}`;
}

/** The operation whose timer has this id; null = it is another timer. */
export function operationOfTimer(id: string): { readonly node: string; readonly number: number } | null {
  const [, number, node] = /^operation:(\d+):(.*)$/s.exec(id) ?? [];
  return number === undefined || node === undefined ? null : { node, number: Number(number) };
}
