import { randomUUID } from 'node:crypto';
import { isRetryable } from '../../../machines/ir/error-classes.ts';
import type { RetryPolicy } from '../../../machines/ir/workflow.ts';
import { type Journal, MAX_OPERATIONS, type OperationKind } from '../../../machines/journal.ts';
import type { Json } from '../../../machines/json.ts';
import { charsUpTo } from '../../../machines/json-size.ts';
import type { OperationEntry } from '../../../machines/messages.ts';
import type { Work } from '../../../machines/run.ts';
import { backoffMs } from '../../../machines/step/work/backoff.ts';
import { type WorkContext, WorkError, type WorkResult } from '../executor.ts';
import { asToolFailure } from '../failure.ts';
import type { JournalAccess, JournalView, LiveFunction } from '../journal-access.ts';
import { toJson } from '../to-json.ts';
import type {
  Answer,
  CallableWorkflow,
  CallOptions,
  DurableContext,
  Question,
  StepContext,
  StepOptions,
  WaitDuration,
} from './context.ts';
import { CallError, journalMismatch, StepError } from './errors.ts';
import { checkedName, durationMs, invalid, timeMs } from './names.ts';
import { retryPolicyOf } from './retry-policy.ts';

/** A step that takes no longer is logged once, with its result. */
const SHORT_STEP_MS = 20;

/** Characters of JSON of all results of a visit: they are in memory with the execution. */
const MAX_RESULTS_CHARS = 16 * 1024 * 1024;

/** A function that is registered as durable. */
export type DurableCode = (input: Json, context: DurableContext) => unknown;

/** An operation that the function has begun and whose result it has not been given. */
interface Pending {
  readonly kind: OperationKind;
  readonly run: ((context: StepContext) => unknown) | null;
  readonly retry: RetryPolicy | null;
  readonly timeoutMs: number | null;
  readonly resolve: (output: never) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly output: unknown } | { readonly error: unknown };

/** An attempt that the function works for, or has worked for. */
interface Session {
  readonly journal: JournalAccess;
  /** The attempt has given up its slot. */
  isParked: boolean;
  readonly resolve: (result: WorkResult) => void;
  readonly reject: (error: unknown) => void;
}

/** A durable function in memory. The results that are already logged, and those that come, are given in the order of the log: one at a time, when nothing else can happen before. */
export class FunctionHost implements LiveFunction {
  readonly #pending = new Map<number, Pending>();
  /** Steps that wait for another attempt, with its number. */
  readonly #failed = new Map<number, number>();
  readonly #versions = new Map<string, Promise<number>>();
  readonly #controller = new AbortController();
  readonly #clock: JournalAccess['clock'];
  #context: WorkContext;
  #journal: Journal;
  /** Sequence of the run that the journal is of. */
  #seq: number;
  #isSuspended = false;
  /** The last one goes on after the function was parked, until the next one begins. */
  #session: Session | null = null;
  #begun = 0;
  /** Position of the last result that the function was given. */
  #given = 0;
  /** Characters of the results that it was given. */
  #resultChars = 0;
  #runningSteps = 0;
  #unsent: OperationEntry[] = [];
  #isSending = false;
  /** What the function is given follows once the event loop has gone round. */
  #isSettling = false;
  #cancelLongStepTimer: (() => void) | null = null;
  #outcome: Outcome | null = null;
  #isAbandoned = false;

  constructor(code: DurableCode, work: Work, context: WorkContext, { clock, view }: JournalAccess) {
    this.#clock = clock;
    this.#context = context;
    this.#journal = view.journal;
    this.#seq = view.seq;
    // After the attempt has its session.
    queueMicrotask(() => void this.#run(code, work));
  }

  /** Works for an attempt until the function has ended, or only waits. */
  work(context: WorkContext, journal: JournalAccess): Promise<WorkResult> {
    this.#context = context;
    return new Promise((resolve, reject) => {
      const session: Session = { journal, isParked: false, resolve, reject };
      this.#session = session;
      const stop = (): void => {
        if (this.#session === session) this.abandon(context.signal.reason);
      };
      if (context.signal.aborted) stop();
      else context.signal.addEventListener('abort', stop, { once: true });
      journal.onChange((changed) => this.#update(changed));
      this.#update(journal.view);
      if (this.#outcome !== null) this.#end();
      else this.#settleSoon();
    });
  }

  /** The function does not go on any more: nothing that it waits for comes any more. */
  abandon(reason?: unknown): void {
    if (this.#isAbandoned) return;
    this.#isAbandoned = true;
    this.#pending.clear();
    this.#unsent = [];
    this.#cancelLongStepTimer?.();
    this.#controller.abort(reason ?? new WorkError('the function was abandoned', { retryable: true }));
  }

  async #run(code: DurableCode, work: Work): Promise<void> {
    try {
      const input = toJson(work.input, 'input', Number.POSITIVE_INFINITY);
      const output = await code(input, this.#contextOf(work));
      this.#outcome = { output };
    } catch (error) {
      this.#outcome = { error };
    }
    this.#end();
  }

  /** The function has ended. If it was parked, the attempt begins again to say so. */
  #end(): void {
    const outcome = this.#outcome;
    const session = this.#session;
    if (outcome === null || session === null || this.#isAbandoned) return;
    if (session.isParked) void this.#send();
    else if ('error' in outcome) this.#fail(asToolFailure(outcome.error));
    else {
      const missing = this.#journal.get(this.#begun + 1);
      if (missing !== undefined) this.#fail(journalMismatch(missing.number, missing, null));
      else this.#succeed(outcome.output);
    }
  }

  #succeed(result: unknown): void {
    try {
      this.#session?.resolve({ output: toJson(result) });
    } catch (error) {
      this.#session?.reject(error);
    }
    this.abandon();
  }

  #fail(error: WorkError): void {
    this.#session?.reject(error);
    this.abandon(error);
  }

  // ------------------------------------------------------------------ operations

  #contextOf({ state }: Work): DurableContext {
    const host = this;
    const { tenantId, executionId: id, nodeId, labels, startedBy, idempotencyKey, attempt } = this.#context;
    return {
      step: (name, run, options) => host.#step(name, run, options),
      sleep: (duration) => host.#wait('sleep', 'sleep', { limitMs: durationMs('the time of ctx.sleep', duration) }),
      sleepUntil: (time) => host.#wait('sleep', 'sleep', { untilMs: timeMs('the time of ctx.sleepUntil', time) }),
      event: (key, options) => host.#event(key, options?.timeout),
      call: <T>(workflow: string | CallableWorkflow<unknown, unknown>, input?: unknown, options?: CallOptions) =>
        host.#call<T>(workflow, input, options),
      approval: (question) => host.#approval(question),
      now: () => host.#value('now', () => host.#clock.nowMs()),
      random: () => host.#value('random', () => Math.random()),
      uuid: () => host.#value('uuid', () => randomUUID()),
      version: (change, min, max) => host.#version(change, min, max),
      get log() {
        return host.#isAgain ? SILENT : host.#context.log;
      },
      progress: (said) => host.#context.progress(said),
      signal: this.#controller.signal,
      execution: { id, tenantId, nodeId, labels, startedBy, idempotencyKey, attempt },
      state,
    };
  }

  /** Does the function do what it has done before? */
  get #isAgain(): boolean {
    return this.#begun < this.#journal.size || this.#journal.resultAfter(this.#given) !== undefined;
  }

  async #step<T>(name: string, run: (context: StepContext) => T | Promise<T>, options: StepOptions = {}): Promise<T> {
    const checked = checkedName('the name of a step', name);
    if (typeof run !== 'function') throw invalid(`ctx.step("${checked}") needs the function to run as its second argument`);
    const retry = retryPolicyOf(options.retry);
    const timeoutMs = options.timeout === undefined ? null : durationMs('the timeout of a step', options.timeout);
    return this.#begin('step', checked, {}, { run, retry, timeoutMs });
  }

  async #wait(kind: 'sleep', name: string, until: { readonly limitMs: number } | { readonly untilMs: number }): Promise<void> {
    await this.#begin(kind, name, until);
  }

  async #event<T>(key: string, timeout: WaitDuration | undefined): Promise<T | null> {
    const checked = checkedName('the key of an event', key);
    const limit = timeout === undefined ? {} : { limitMs: durationMs('the timeout of an event', timeout) };
    return this.#begin('event', checked, { key: checked, ...limit });
  }

  async #call<T>(
    workflow: string | CallableWorkflow<unknown, unknown>,
    input: unknown = {},
    { version }: CallOptions = {},
  ): Promise<T> {
    const called = typeof workflow === 'string' ? { id: workflow, version } : workflow;
    const id = checkedName('the workflow of ctx.call', called?.id);
    const wanted = version ?? called.version;
    const of = wanted === undefined ? {} : { version: checkedName('the version of a called workflow', wanted) };
    return this.#begin('call', id, { workflow: id, input: toJson(input, `the input of ctx.call("${id}")`), ...of });
  }

  async #approval({ message, timeout }: Question): Promise<Answer> {
    if (typeof message !== 'string' || message === '' || !message.isWellFormed())
      throw invalid('ctx.approval needs a message: what the person is asked');
    const limit = timeout === undefined ? {} : { limitMs: durationMs('the timeout of an approval', timeout) };
    return this.#begin('approval', 'approval', { message, ...limit });
  }

  async #value<T extends Json>(name: string, value: () => T): Promise<T> {
    return this.#begin('value', name, {}, { run: value });
  }

  /** Asked for once; a change that the journal does not have was made after the function was here. */
  #version(change: string, min: number, max: number): Promise<number> {
    const known = this.#versions.get(change);
    if (known !== undefined) return known;
    const version = this.#recordedVersion(change, min, max);
    this.#versions.set(change, version);
    return version;
  }

  async #recordedVersion(change: string, min: number, max: number): Promise<number> {
    const name = `version ${checkedName('the name of a change', change)}`;
    if (!Number.isInteger(min) || !Number.isInteger(max) || min > max)
      throw invalid(`ctx.version("${change}") needs two integers, the lower one first`);
    const here = this.#journal.get(this.#begun + 1);
    const isBefore = here !== undefined && here.name !== name;
    const version = isBefore ? min : await this.#begin<number>('value', name, {}, { run: () => max });
    if (version < min || version > max)
      throw invalid(`version ${version} of "${change}" was recorded, but the code supports ${min} to ${max}`);
    return version;
  }

  /** Begins the next operation of the function, or the one that has been at this place. The promise has its result. */
  #begin<T>(
    kind: OperationKind,
    name: string,
    details: Partial<OperationEntry & { type: 'begin' }>,
    { run = null, retry = null, timeoutMs = null }: Partial<Pick<Pending, 'run' | 'retry' | 'timeoutMs'>> = {},
  ): Promise<T> {
    if (this.#isAbandoned || this.#outcome !== null) return NEVER;
    const number = this.#begun + 1;
    if (number > MAX_OPERATIONS) {
      throw new WorkError(`too_many_operations: a durable function may have ${MAX_OPERATIONS.toLocaleString('en')} operations`, {
        retryable: false,
        errorClass: 'too_many_operations',
      });
    }
    const known = this.#journal.get(number);
    if (known !== undefined && (known.kind !== kind || known.name !== name)) {
      this.#fail(journalMismatch(number, known, { kind, name }));
      return NEVER;
    }
    this.#begun = number;
    const result = new Promise<T>((resolve, reject) => {
      this.#pending.set(number, { kind, run, retry, timeoutMs, resolve, reject });
    });
    if (known === undefined) this.#unsent.push({ type: 'begin', operation: number, name, kind, ...details });
    if (kind === 'value' && known === undefined && run !== null)
      this.#unsent.push({ type: 'complete', operation: number, attempt: 0, output: run(NO_STEP) as Json });
    if (kind === 'step' && (known === undefined || known.status === 'running')) this.#runStep(number, known?.attempt ?? 0);
    else if (known?.status === 'backoff') this.#failed.set(number, known.attempt);
    this.#settleSoon();
    return result;
  }

  #runStep(number: number, attempt: number): void {
    const { run, retry, timeoutMs } = this.#pending.get(number) as Pending;
    const startedAtMs = this.#clock.nowMs();
    const controller = timeoutMs === null ? this.#controller : new AbortController();
    const signal = timeoutMs === null ? controller.signal : AbortSignal.any([controller.signal, this.#controller.signal]);
    const idempotencyKey = `${this.#context.idempotencyKey}:${number}`;
    let cancelTimer: (() => void) | null = null;
    let isOver = false;
    this.#runningSteps += 1;
    const over = (entry: () => OperationEntry): void => {
      if (isOver) return;
      isOver = true;
      cancelTimer?.();
      this.#runningSteps -= 1;
      if (this.#isAbandoned) return;
      const ended = entry();
      if (ended.type === 'fail' && ended.delayMs !== undefined) this.#failed.set(number, attempt + 1);
      this.#unsent.push(ended);
      void this.#send();
    };
    const fail = (error: unknown): void =>
      over(() => failureOf(asToolFailure(error), { number, attempt, retry: retry as RetryPolicy, idempotencyKey }));
    const complete = (output: unknown): void => {
      try {
        const copy = toJson(output);
        over(() => ({
          type: 'complete',
          operation: number,
          attempt,
          output: copy,
          durationMs: Math.round(this.#clock.nowMs() - startedAtMs),
        }));
      } catch (error) {
        fail(error);
      }
    };
    if (timeoutMs !== null) {
      cancelTimer = this.#clock.after(timeoutMs, () => {
        const reason = new WorkError(`timed out after ${timeoutMs / 1_000} s`, { retryable: true, errorClass: 'timeout' });
        controller.abort(reason);
        fail(reason);
      });
    }
    try {
      const result = run?.({ signal, attempt, idempotencyKey });
      if (result instanceof Promise) result.then(complete, fail);
      else void Promise.resolve(result).then(complete, fail);
    } catch (error) {
      fail(error);
    }
    this.#cancelLongStepTimer ??= this.#clock.after(SHORT_STEP_MS, () => {
      this.#cancelLongStepTimer = null;
      if (this.#unsent.length > 0) void this.#send();
    });
  }

  // ------------------------------------------------------------------ the journal

  /** Commits what the function has begun and done, with the fact that it only waits, if it does. */
  async #send(): Promise<void> {
    const session = this.#session;
    if (session === null || this.#isSending || this.#isAbandoned) return;
    const parks = this.#onlyWaits();
    const entries = this.#unsent;
    this.#unsent = [];
    this.#isSending = true;
    if (parks) session.journal.keep(this);
    try {
      const view = await session.journal.append(entries, parks ? this.#given : undefined);
      this.#isSending = false;
      if (view !== null) this.#update(view);
      if (view?.isParked === true) {
        session.isParked = true;
        session.resolve({ output: null, parkedAt: view.seq });
      } else if (parks) session.journal.drop(this);
      if (this.#outcome !== null) this.#end();
      else if (this.#unsent.length > 0 && this.#session !== null) void this.#send();
      else if (view?.isParked !== true) this.#settleSoon();
    } catch (error) {
      this.#isSending = false;
      session.reject(error);
      if (this.#session === session) this.abandon(error);
      else {
        // A later attempt has begun meanwhile, and says it again: what the journal has is taken as said once.
        this.#unsent = [...entries, ...this.#unsent];
        this.#settleSoon();
      }
    }
  }

  /** Can the function go on only when something comes? A paused execution does not go on with what has come. */
  #onlyWaits(): boolean {
    if (this.#outcome !== null || this.#runningSteps > 0 || this.#pending.size === 0 || this.#isSettling) return false;
    if (this.#unsent.some(({ type }) => type !== 'begin')) return false;
    return this.#isSuspended || this.#journal.resultAfter(this.#given) === undefined;
  }

  #update({ journal, seq, isSuspended }: JournalView): void {
    if (this.#isAbandoned || seq < this.#seq) return;
    this.#seq = seq;
    this.#journal = journal;
    this.#isSuspended = isSuspended;
    this.#settleSoon();
  }

  /** Goes on once everything that the function can do by itself is done. */
  #settleSoon(): void {
    if (this.#isSettling || this.#isAbandoned) return;
    this.#isSettling = true;
    setImmediate(() => {
      this.#isSettling = false;
      this.#settle();
    });
  }

  #settle(): void {
    if (this.#isAbandoned || this.#outcome !== null) return;
    this.#attemptAgain();
    if (!this.#isSuspended && this.#giveNext()) {
      this.#settleSoon();
      return;
    }
    const isWaiting = this.#unsent.some((entry) => entry.type !== 'begin' || entry.kind !== 'step');
    const session = this.#session;
    if (session !== null && !session.isParked && (isWaiting || this.#onlyWaits())) void this.#send();
  }

  /** Runs the steps whose delay before another attempt is over. */
  #attemptAgain(): void {
    for (const [number, attempt] of this.#failed) {
      const operation = this.#journal.open(number);
      if (operation?.status !== 'running' || operation.attempt !== attempt) continue;
      this.#failed.delete(number);
      this.#runStep(number, attempt);
    }
  }

  /** Gives the function its next result. False = there is none yet, or the function has not asked for it yet. */
  #giveNext(): boolean {
    const next = this.#journal.resultAfter(this.#given);
    const pending = next === undefined ? undefined : this.#pending.get(next.operation.number);
    if (next === undefined || pending === undefined) return false;
    const { position, operation } = next;
    this.#given = position;
    this.#pending.delete(operation.number);
    this.#resultChars += charsUpTo(operation.output ?? null, MAX_RESULTS_CHARS);
    if (this.#resultChars > MAX_RESULTS_CHARS) this.#fail(tooLarge());
    else if (operation.status === 'failed')
      pending.reject(operation.kind === 'call' ? new CallError(operation) : new StepError(operation));
    else pending.resolve(toJson(operation.output ?? null, 'result', Number.POSITIVE_INFINITY) as never);
    return true;
  }
}

const NEVER: Promise<never> = new Promise(() => {});
const NO_STEP = null as never;
const SILENT: WorkContext['log'] = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function tooLarge(): WorkError {
  const limit = MAX_RESULTS_CHARS / 1024 / 1024;
  return new WorkError(`journal_too_large: the results of a durable function are larger than ${limit} MiB together`, {
    retryable: false,
    errorClass: 'journal_too_large',
  });
}

interface FailedStep {
  readonly number: number;
  readonly attempt: number;
  readonly retry: RetryPolicy;
  readonly idempotencyKey: string;
}

function failureOf(error: WorkError, { number, attempt, retry, idempotencyKey }: FailedStep): OperationEntry {
  const { message, retryable, errorClass, httpStatus, retryAfterMs, details } = error;
  const failure = {
    retryable,
    ...(errorClass === null ? {} : { errorClass }),
    ...(httpStatus === null ? {} : { httpStatus }),
  };
  const on = retry.retryable_on.length === 0 ? undefined : retry.retryable_on;
  const again = attempt + 1 < retry.max_attempts && isRetryable(on, failure);
  return {
    type: 'fail',
    operation: number,
    attempt,
    error: message,
    ...(errorClass === null ? {} : { errorClass }),
    ...(details === null ? {} : { details: details as never }),
    ...(again ? { delayMs: retryAfterMs ?? backoffMs(retry, attempt + 1, idempotencyKey) } : {}),
  };
}
