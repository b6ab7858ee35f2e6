import type { Json, JsonObject } from './json.ts';
import { above, below, concat, firstIn, forEachIn, get, put, type SortedMap } from './sorted-map.ts';

/**
 * What an operation of a durable function does: `step` runs code of the function, `value` records a value that the function was given (a time, a
 * random number, a version), `expose` changes what readers see of the function, `call` runs another execution, `continue`
 * ends this one, which another one continues, the others wait.
 */
export type OperationKind = 'step' | 'value' | 'expose' | 'sleep' | 'event' | 'approval' | 'call' | 'continue';

/** An operation of a durable function. */
export interface Operation {
  /** 1, 2, 3 …: the order in which the function has begun its operations. */
  readonly number: number;
  readonly name: string;
  readonly kind: OperationKind;
  /** 0-based. */
  readonly attempt: number;
  readonly status: 'running' | 'backoff' | 'waiting' | 'completed' | 'failed';
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
  /** What a person is asked. */
  readonly message?: string;
  /** Which workflow it calls; without a version, the one registered last. */
  readonly workflow?: string;
  readonly version?: string;
  /** What the called workflow is given, until it has completed, or the function in the execution that continues this one. */
  readonly input?: Json;
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

interface StoredJournal {
  readonly state: JsonObject;
  readonly input?: Json;
  readonly operations: readonly Operation[];
  /** Numbers of operations, each with the position of its result. */
  readonly results: readonly (readonly [position: number, operation: number])[];
  readonly settled: number;
}

/**
 * The operations of a visit to a durable function and their results, in the order in which they were committed. Immutable; a change copies only a path,
 * however many operations there are.
 */
export class Journal {
  /** The state when the visit began: its input is made of it, whatever becomes of the state. */
  readonly state: JsonObject;
  /** What the function is given, if the visit continues one of another execution; undefined = what its node says. */
  readonly input: Json | undefined;
  /** Number of operations that have begun. */
  readonly size: number;
  /** Position of the last result: 1, 2, 3 … */
  readonly settled: number;
  /** The approval that a person is asked for; null = none. */
  readonly asked: Operation | null;
  readonly #operations: SortedMap<Operation>;
  /** By position. */
  readonly #results: SortedMap<{ readonly position: number; readonly number: number }>;
  /** Those without a result. */
  readonly #open: SortedMap<Operation>;

  private constructor(
    state: JsonObject,
    input: Json | undefined,
    operations: SortedMap<Operation>,
    results: SortedMap<{ readonly position: number; readonly number: number }>,
    open: SortedMap<Operation>,
    size: number,
    settled: number,
    asked: Operation | null,
  ) {
    this.state = state;
    this.input = input;
    this.#operations = operations;
    this.#results = results;
    this.#open = open;
    this.size = size;
    this.settled = settled;
    this.asked = asked;
  }

  static begun(state: JsonObject, input?: Json): Journal {
    return new Journal(state, input, null, null, null, 0, 0, null);
  }

  get(number: number): Operation | undefined {
    return get(this.#operations, number);
  }

  /** The operation while it has no result; undefined = it has one, or has not begun. */
  open(number: number): Operation | undefined {
    return get(this.#open, number);
  }

  /** Those without a result, in the order in which they began. */
  allOpen(): readonly Operation[] {
    const open: Operation[] = [];
    forEachIn(this.#open, 0, Number.POSITIVE_INFINITY, (operation) => open.push(operation));
    return open;
  }

  /** The first result after a position, with its position; undefined = there is none. */
  resultAfter(position: number): { readonly position: number; readonly operation: Operation } | undefined {
    const found = firstIn(this.#results, position + 1, Number.POSITIVE_INFINITY);
    const operation = found === undefined ? undefined : this.get(found.number);
    return found === undefined || operation === undefined ? undefined : { position: found.position, operation };
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
    return new Journal(
      this.state,
      this.input,
      put(this.#operations, number, operation),
      this.#results,
      put(this.#open, number, operation),
      Math.max(this.size, number),
      this.settled,
      operation.asked === true ? operation : this.asked,
    );
  }

  /** An operation has its result. */
  settle(operation: Operation): Journal {
    const { number } = operation;
    const position = this.settled + 1;
    return new Journal(
      this.state,
      this.input,
      put(this.#operations, number, operation),
      put(this.#results, position, { position, number }),
      concat(below(this.#open, number), above(this.#open, number)),
      this.size,
      position,
      this.asked?.number === number ? null : this.asked,
    );
  }

  /**
   * The journal for another attempt: steps and calls that failed run again, unless the function has begun something after their failure, which may depend on it.
   */
  reopened(): Journal {
    const kept = get(this.#operations, this.size)?.after ?? 0;
    const failed: { readonly position: number; readonly operation: Operation }[] = [];
    for (let next = this.resultAfter(kept); next !== undefined; next = this.resultAfter(next.position))
      if (next.operation.status === 'failed') failed.push(next);
    if (failed.length === 0) return this;
    let [operations, results, open] = [this.#operations, this.#results, this.#open];
    for (const { position, operation } of failed) {
      const { failure: _, ...rest } = operation;
      const again: Operation = { ...rest, status: initialStatus(rest.kind), attempt: 0 };
      operations = put(operations, again.number, again);
      open = put(open, again.number, again);
      results = concat(below(results, position), above(results, position));
    }
    return new Journal(this.state, this.input, operations, results, open, this.size, this.settled, this.asked);
  }

  toJSON(): StoredJournal {
    const operations: Operation[] = [];
    forEachIn(this.#operations, 0, Number.POSITIVE_INFINITY, (operation) => operations.push(operation));
    const results: [number, number][] = [];
    forEachIn(this.#results, 0, Number.POSITIVE_INFINITY, ({ position, number }) => results.push([position, number]));
    const given = this.input === undefined ? {} : { input: this.input };
    return { state: this.state, ...given, operations, results, settled: this.settled };
  }

  /** The journal that `toJSON` has given. */
  static from({ state, input, operations, results, settled }: StoredJournal): Journal {
    let [all, open, positions]: [SortedMap<Operation>, SortedMap<Operation>, SortedMap<{ position: number; number: number }>] = [
      null,
      null,
      null,
    ];
    for (const operation of operations) {
      all = put(all, operation.number, operation);
      if (!isSettled(operation)) open = put(open, operation.number, operation);
    }
    for (const [position, number] of results) positions = put(positions, position, { position, number });
    const asked = operations.find((operation) => operation.asked === true && !isSettled(operation)) ?? null;
    return new Journal(state, input, all, positions, open, operations.length, settled, asked);
  }
}

/** The status of an operation that begins. */
export function initialStatus(kind: OperationKind): 'running' | 'waiting' {
  return kind === 'step' || kind === 'value' || kind === 'expose' ? 'running' : 'waiting';
}

function isSettled({ status }: Operation): boolean {
  return status === 'completed' || status === 'failed';
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
