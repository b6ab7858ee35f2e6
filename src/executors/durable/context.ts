import type { Static, TSchema } from 'typebox';
import type { Json, JsonObject } from '../../../machines/json.ts';
import type { ToolContext } from '../executor.ts';

/** Seconds, or a number with a unit. */
export type WaitDuration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** What follows a failed attempt at a step. */
export interface StepRetry {
  /** Attempts in all, the first included. Default: 3. */
  readonly maxAttempts?: number;
  /** Default: `exponential`. */
  readonly backoff?: 'fixed' | 'linear' | 'exponential';
  /** Before the first retry; 0 = at once. Default: 1 s. */
  readonly initialDelay?: WaitDuration;
  /** Default: 30 s. */
  readonly maxDelay?: WaitDuration;
  /** Shortens each delay by up to half, by chance. Default: false. */
  readonly jitter?: boolean;
  /** Error classes and HTTP statuses. Default: all errors, but those with `retryable: false`. */
  readonly retryableOn?: readonly (string | number)[];
}

/** How often a step is tried, and how long an attempt may take. */
export interface StepOptions {
  readonly retry?: StepRetry;
  /** Of one attempt. Default: no limit. */
  readonly timeout?: WaitDuration;
}

/** How a function is called for the items of a list. */
export interface MapOptions extends StepOptions {
  /** Items at work at once. Default: 16. */
  readonly maxConcurrency?: number;
}

/** A TypeBox schema, or a JSON Schema. */
export type UpdateSchema = TSchema | { readonly [keyword: string]: unknown };

/** The type of the values of a TypeBox schema. */
export type UpdateInput<S> = S extends { readonly '~kind': string } ? Static<Extract<S, TSchema>> : Json;

/** What the code of a step is told. */
export interface StepContext {
  /** Aborted at the time limit of the step, and with the function. */
  readonly signal: AbortSignal;
  /** 0-based. */
  readonly attempt: number;
  /** The same for every attempt at this step, also after a crash: for services that recognise a request that comes again. */
  readonly idempotencyKey: string;
}

/** A workflow that was defined in TypeScript. `State`: that of executions that have completed. */
export interface CallableWorkflow<Input, State> {
  readonly id: string;
  readonly version: string;
  /** Only for types. */
  readonly '~types'?: { readonly input: Input; readonly completed: State };
}

/** What a workflow is called with. Nothing is known of one that is named by its id. */
export type CallArguments<W> =
  W extends CallableWorkflow<infer Input, unknown>
    ? readonly [input: Input, options?: CallOptions]
    : readonly [input?: Json, options?: CallOptions];

/** The state of the called workflow when it has completed. `State`: what it is said to be for an id. */
export type CalledState<W, State> = W extends CallableWorkflow<unknown, infer Completed> ? Completed : State;

/** How another workflow is called. */
export interface CallOptions {
  /** Of the called workflow. Default: that of the definition, or of an id the one that is registered last. */
  readonly version?: string;
}

/** An approval that a function asks for. */
export interface Question {
  /** What the person is asked. */
  readonly message: string;
  /** Default: no limit. */
  readonly timeout?: WaitDuration;
}

/** How a person has decided. */
export interface Answer {
  readonly approved: boolean;
  readonly decision: 'approved' | 'rejected' | 'timeout';
  /** Null when no person has decided in time. */
  readonly user_id: string | null;
  readonly comment: string | null;
}

/**
 * What a durable function works with. The result of each operation is logged before the function goes on. After a crash or an eviction from memory the
 * function runs again from its top: operations that have a result give it back at once, and in the same order. So everything that is not the same each
 * time belongs into an operation, and between operations nothing is waited for.
 */
export interface DurableContext<Input = unknown> {
  /**
   * Runs code, at least once until it has succeeded. Its result must be JSON. A failed attempt is followed by another one, as `retry` says, after a
   * delay that outlives the process. After the last one it throws `StepError`.
   */
  step<T>(name: string, run: (context: StepContext) => T | Promise<T>, options?: StepOptions): Promise<T>;
  /**
   * Runs a step for each item of a list, `maxConcurrency` at once, in its order: `name[0]`, `name[1]` … `retry` and `timeout` are those of each. Gives the
   * results in the order of the list. After the first step that has failed for good no other begins; those in progress end, so that their results are
   * kept for a retry, and then it throws the `StepError`. At most 10,000 items, with the other operations.
   */
  map<T, R>(
    name: string,
    list: readonly T[],
    run: (item: T, index: number, context: StepContext) => R | Promise<R>,
    options?: MapOptions,
  ): Promise<R[]>;
  /** Waits for a time, which also passes while no process runs. */
  sleep(duration: WaitDuration): Promise<void>;
  /** Waits until a time; one in the past is over at once. */
  sleepUntil(time: Date | number | string): Promise<void>;
  /**
   * Waits for an event that is sent to the execution under the key, also for one that came before. Null = none came in time. Without `timeout` it waits
   * as long as the execution lives.
   */
  event<T = unknown>(key: string, options?: { readonly timeout?: WaitDuration }): Promise<T | null>;
  /**
   * Runs another workflow as a child execution, and gives its final state. Throws `CallError` if it fails or is cancelled. It is cancelled with the
   * function, and when the function ends before it. The workflow must be registered. It is given as a definition, or by its id, and then
   * `ctx.call<State>(id, input)` says what its state is.
   */
  call<State = JsonObject, W extends CallableWorkflow<unknown, unknown> | string = string>(
    workflow: W,
    ...given: CallArguments<W>
  ): Promise<CalledState<W, State>>;
  /** Asks a person. Questions of one function are asked one after the other. */
  approval(question: Question): Promise<Answer>;
  /**
   * Changes what readers of the execution see while the function lives: the fields become fields of the state, as those of its result do at its end (of a
   * node with `output_key`, below that key). A JSON merge patch (RFC 7396): `null` removes a field. Fields that were exposed last are not logged again.
   */
  expose(fields: object): Promise<void>;
  /**
   * Ends the execution, which another one continues: with an empty journal, and this function from its top, given `input`. The state, early events, labels,
   * limits and what was used go on. What else is in progress is cancelled, and no operation begins any more. Throws `StepError` in a parallel branch.
   */
  continueAsNew(...input: undefined extends Input ? readonly [input?: Input] : readonly [input: Input]): Promise<never>;
  /**
   * From now on, updates of this name are given to the handler, one at a time, in the order in which they came, and what it returns is the answer to the
   * caller. An input that does not fit the schema (TypeBox, or JSON Schema; null = any input) is refused before. An error that the handler throws is the
   * answer as well, and does not end the function. When the function runs again, the handler does, too; it may use operations, as the function does, and
   * nothing else may be waited for. Throws if the function has a handler of this name.
   */
  onUpdate<const S extends UpdateSchema>(name: string, schema: S | null, handler: (input: UpdateInput<S>) => unknown): void;
  /** The time, in milliseconds since 1970; the same when the function runs again. */
  now(): Promise<number>;
  /** A number from 0 to 1 (exclusive); the same when the function runs again. */
  random(): Promise<number>;
  /** A random UUID; the same when the function runs again. */
  uuid(): Promise<string>;
  /**
   * The version of the code that a change of it belongs to: `max` for executions that come here for the first time, what was recorded for those that
   * have been here, and `min` for those that have been beyond this place before the change was made. Throws if the code does not support that version.
   */
  version(change: string, min: number, max: number): Promise<number>;
  /** The log of this process. What a function that runs again has said before is not said again. */
  readonly log: ToolContext['log'];
  /** Says how far the function is: a number from 0 to 1, or a text. */
  readonly progress: ToolContext['progress'];
  /** Aborted when the execution is cancelled, at the time limit of the node, and when the runtime stops. */
  readonly signal: AbortSignal;
  /** The execution that the function belongs to. */
  readonly execution: Pick<ToolContext, 'tenantId' | 'nodeId' | 'labels' | 'startedBy' | 'idempotencyKey' | 'attempt'> & {
    readonly id: string;
  };
  /** The state of the execution when the visit to the function began. */
  readonly state: JsonObject;
}
