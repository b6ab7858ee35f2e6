import {
  type Journal,
  MAX_OPERATIONS,
  type Operation,
  type OperationKind,
  type Result,
  type Update,
} from '../../../machines/journal.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { charsUpTo } from '../../../machines/json-size.ts';
import type { OperationEntry, Transition } from '../../../machines/messages.ts';
import { undeclaredCall } from '../../../machines/step/index.ts';
import { type WorkContext, WorkError, type WorkResult } from '../executor.ts';
import { asToolFailure } from '../failure.ts';
import type { JournalAccess, JournalView, LiveFunction } from '../journal-access.ts';
import { toJson } from '../to-json.ts';
import { CallError, journalMismatch, StepError } from './errors.ts';
import { invalid } from './names.ts';
import { type StepCode, StepRuns } from './step-runs.ts';

/** Characters of JSON of all results of a visit: they are in memory with the execution. */
const MAX_RESULTS_CHARS = 16 * 1024 * 1024;

/** What an operation does in this process: the code of a step, or the value that a `value` records. */
export type OperationCode = { readonly step: StepCode } | { readonly value: () => Json };

/** An operation that has begun and whose result was not given yet. */
interface Pending {
  readonly resolve: (output: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Handles the updates of a name: what it returns is the answer. */
export type UpdateHandler = (input: Json) => unknown;

/** How a function has ended. */
export type Outcome = { readonly output: unknown } | { readonly error: unknown };

/** An attempt that the function works for, or has worked for. */
interface Attempt {
  readonly journal: JournalAccess;
  /** The attempt has given up its slot. */
  isParked: boolean;
  readonly resolve: (result: WorkResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The work on a journal in this process, over all attempts that it is parked between. The results that are already logged, and those that come, are
 * given in the order of the log: one at a time, when nothing else can happen before.
 */
export class JournalSession implements LiveFunction {
  readonly clock: JournalAccess['clock'];
  /** Workflows that it may call; null = any. */
  readonly #calls: readonly string[] | null;
  readonly #pending = new Map<number, Pending>();
  readonly #steps: StepRuns;
  readonly #controller = new AbortController();
  #context: WorkContext;
  #journal: Journal;
  /** Sequence of the run that the journal is of. */
  #seq: number;
  #isSuspended = false;
  /** The last one goes on after the function was parked, until the next one begins. */
  #attempt: Attempt | null = null;
  #begun = 0;
  /** Operations beyond those that it may have: one that catches the error and tries again forever would not let the event loop go on. */
  #refused = 0;
  /** Position of the last result that the function was given. */
  #given = 0;
  /** Characters of the results that it was given. */
  #resultChars = 0;
  #unsent: OperationEntry[] = [];
  /** By name. */
  readonly #handlers = new Map<string, UpdateHandler>();
  #isSending = false;
  /** It asks to be parked. */
  #isParking = false;
  #isForgotten = false;
  /** What the function is given follows once the event loop has gone round. */
  #isSettling = false;
  #outcome: Outcome | null = null;
  /** It has asked for an execution that continues this one: what it does and returns is not wanted, unless it gets an error. */
  #isContinuing = false;
  #isAbandoned = false;

  constructor(context: WorkContext, { clock, view }: JournalAccess, calls: readonly string[] | null) {
    this.clock = clock;
    this.#calls = calls;
    this.#context = context;
    this.#journal = view.journal;
    this.#seq = view.seq;
    this.#steps = new StepRuns({
      clock,
      signal: this.signal,
      idempotencyKey: () => this.#context.idempotencyKey,
      ended: (entry) => {
        this.#unsent.push(entry);
        void this.#send();
      },
      isLong: () => {
        if (this.#unsent.length > 0) void this.#send();
      },
    });
  }

  /** The context of the current attempt. */
  get context(): WorkContext {
    return this.#context;
  }

  get journal(): Journal {
    return this.#journal;
  }

  /** Aborted when the work is abandoned. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Number of the operation that begins next. */
  get next(): number {
    return this.#begun + 1;
  }

  /** Does the function do what it has done before? */
  get isAgain(): boolean {
    return this.#begun < this.#journal.size || this.#journal.resultAfter(this.#given) !== undefined;
  }

  /** Works for an attempt until the function has ended, or only waits. */
  work(context: WorkContext, journal: JournalAccess): Promise<WorkResult> {
    this.#context = context;
    return new Promise((resolve, reject) => {
      const attempt: Attempt = { journal, isParked: false, resolve, reject };
      this.#attempt = attempt;
      const stop = (): void => {
        if (this.#attempt === attempt) this.abandon(context.signal.reason);
      };
      if (context.signal.aborted) stop();
      else context.signal.addEventListener('abort', stop, { once: true });
      journal.onChange((changed) => this.#update(changed));
      this.#update(journal.view);
      if (this.#hasEnded) this.#end();
      else this.#settleSoon();
    });
  }

  /** The function does not go on any more: nothing that it waits for comes any more. */
  abandon(reason?: unknown): void {
    if (this.#isAbandoned) return;
    this.#isAbandoned = true;
    this.#pending.clear();
    this.#unsent = [];
    this.#steps.abandon();
    this.#controller.abort(reason ?? new WorkError('the function was abandoned', { retryable: true }));
  }

  forget(): void {
    if (this.#isParking) this.#isForgotten = true;
    else this.abandon();
  }

  /** Something that the function has not handled ends it. False = it has ended already. */
  fail(error: WorkError): boolean {
    if (this.#isAbandoned || this.#outcome !== null) return false;
    this.end({ error });
    return true;
  }

  /** The function has ended. */
  end(outcome: Outcome): void {
    if (this.#outcome !== null) return;
    this.#outcome = outcome;
    // The handler of an update by which it has ended has not returned yet.
    if (this.#hasEnded && this.#handlers.size > 0) setImmediate(() => this.#end());
    else if (this.#hasEnded) this.#end();
    else this.#settleSoon();
  }

  get #hasEnded(): boolean {
    return this.#outcome !== null && !this.#isContinuing;
  }

  /** If the function was parked, the attempt begins again to say how it has ended. What it has exposed, and what has come of updates, is said before. */
  #end(): void {
    const outcome = this.#outcome;
    const attempt = this.#attempt;
    if (outcome === null || !this.#hasEnded || attempt === null || this.#isAbandoned) return;
    // What is being said is not in the log yet, and may have to be said again.
    if (this.#isSending) return;
    if (attempt.isParked || this.#unsent.some(isWanted)) void this.#send();
    else if ('error' in outcome) this.#fail(asToolFailure(outcome.error));
    else {
      const missing = this.#journal.get(this.next);
      if (missing !== undefined) this.#fail(journalMismatch(missing.number, missing, null));
      else this.#succeed(outcome.output);
    }
  }

  #succeed(result: unknown): void {
    try {
      this.#attempt?.resolve({ output: toJson(result) });
    } catch (error) {
      this.#attempt?.reject(error);
    }
    this.abandon();
  }

  #fail(error: WorkError): void {
    this.#attempt?.reject(error);
    this.abandon(error);
  }

  /** Begins the next operation, or the one that has been at this place. The promise has its result. */
  begin<T>(
    kind: OperationKind,
    name: string,
    details: Partial<OperationEntry & { type: 'begin' }> = {},
    code: OperationCode | null = null,
  ): Promise<T> {
    if (!this.#begins(kind, name)) return never();
    const number = this.#begun;
    const known = this.#journal.get(number);
    if (kind === 'continue') this.#isContinuing = true;
    const result = new Promise<T>((resolve, reject) => {
      this.#pending.set(number, { resolve, reject });
    });
    // A fork of an execution that was paused meanwhile continues as well.
    if (known === undefined || (known.status !== 'failed' && kind === 'continue'))
      this.#unsent.push({ type: 'begin', operation: number, name, kind, ...details });
    if (code !== null && 'value' in code && known === undefined)
      this.#unsent.push({ type: 'complete', operation: number, attempt: 0, output: code.value() });
    if (code !== null && 'step' in code) {
      if (known === undefined || known.status === 'running') this.#steps.run(number, known?.attempt ?? 0, code.step);
      else if (known.status === 'backoff') this.#steps.runLater(number, known.attempt, code.step);
    }
    this.#settleSoon();
    return result;
  }

  /** Is it what has been at this place, if something was? False = the function goes no further. */
  #begins(kind: OperationKind, name: string): boolean {
    if (this.#isAbandoned || this.#isContinuing || this.#outcome !== null) return false;
    const number = this.next;
    if (number > MAX_OPERATIONS && kind !== 'continue') {
      this.#refused += 1;
      if (this.#refused <= MAX_OPERATIONS) throw tooMany();
      this.#fail(tooMany());
      return false;
    }
    const known = this.#journal.get(number);
    // A call that the journal has was allowed where it began.
    if (kind === 'call' && this.#calls?.includes(name) === false && (known?.kind !== kind || known.name !== name))
      throw invalid(undeclaredCall(name));
    if (known !== undefined && (known.kind !== kind || known.name !== name)) {
      this.#fail(journalMismatch(number, known, { kind, name }));
      return false;
    }
    this.#begun = number;
    return true;
  }

  /** Records what an XState machine has done, which is an operation without a result. */
  record(transition: Omit<Transition, 'type' | 'operation'>): void {
    const { event: name } = transition;
    if (!this.#begins('transition', name)) return;
    if (this.#journal.get(this.#begun) === undefined)
      this.#unsent.push(Object.assign({ type: 'transition', operation: this.#begun } as const, transition));
    this.#settleSoon();
  }

  /** An operation is not wanted any more. If it has its result already, the function is given it all the same, now as when it runs again. */
  cancel(number: number): void {
    const known = this.#journal.get(number);
    this.#steps.cancel(number);
    if (this.#isAbandoned || (known !== undefined && this.#journal.open(number) === undefined)) return;
    this.#unsent.push({ type: 'cancel', operation: number });
    this.#settleSoon();
  }

  /** Commits what the function has begun and done, with the fact that it only waits, if it does. */
  async #send(): Promise<void> {
    const attempt = this.#attempt;
    if (attempt === null || this.#isSending || this.#isAbandoned) return;
    const parks = this.#onlyWaits();
    const entries = this.#unsent;
    this.#unsent = [];
    this.#isSending = true;
    this.#isParking = parks;
    if (parks) attempt.journal.keep(this);
    try {
      const view = await attempt.journal.append(entries, parks ? this.#given : undefined);
      this.#isSending = false;
      this.#isParking = false;
      if (view !== null) this.#update(view);
      if (view?.isParked === true) {
        attempt.isParked = true;
        attempt.resolve({ output: null, parkedAt: view.seq });
        if (this.#isForgotten) this.abandon();
      } else if (parks) {
        attempt.journal.drop(this);
        this.#isForgotten = false;
      }
      if (this.#hasEnded) this.#end();
      else if (this.#unsent.length > 0 && this.#attempt !== null) void this.#send();
      else if (view?.isParked !== true) this.#settleSoon();
    } catch (error) {
      this.#isSending = false;
      this.#isParking = false;
      attempt.reject(error);
      if (this.#attempt === attempt) this.abandon(error);
      else {
        // A later attempt has begun meanwhile, and says it again: what the journal has is taken as said once.
        this.#unsent = [...entries, ...this.#unsent];
        if (this.#hasEnded) this.#end();
        else this.#settleSoon();
      }
    }
  }

  /** Can the function go on only when something comes? A paused execution does not go on with what has come. */
  #onlyWaits(): boolean {
    if (this.#hasEnded || this.#steps.areRunning || this.#isSettling) return false;
    if (this.#unsent.some(({ type }) => type === 'complete' || type === 'fail' || type === 'update')) return false;
    if (this.#pending.size === 0 && this.#handlers.size === 0) return false;
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
    if (this.#isAbandoned || this.#hasEnded) return;
    this.#steps.runAgain(this.#journal);
    if (!this.#isSuspended && this.#giveNext()) {
      this.#settleSoon();
      return;
    }
    const isWaiting = this.#unsent.some((entry) => entry.type !== 'begin' || entry.kind !== 'step');
    const attempt = this.#attempt;
    if (attempt !== null && !attempt.isParked && (isWaiting || this.#onlyWaits())) void this.#send();
  }

  /** Gives the function its next result. False = there is none yet, or the function has not asked for it yet. */
  #giveNext(): boolean {
    const next = this.#journal.resultAfter(this.#given);
    if (next === undefined) return false;
    if ('update' in next) return this.#giveUpdate(next);
    const { position, operation } = next;
    const pending = this.#pending.get(operation.number);
    if (pending === undefined) return false;
    this.#given = position;
    this.#pending.delete(operation.number);
    this.#resultChars += charsUpTo(operation.output ?? null, MAX_RESULTS_CHARS);
    if (this.#resultChars > MAX_RESULTS_CHARS) this.#fail(tooLarge());
    else if (operation.status === 'failed') this.#failOperation(pending, operation);
    else pending.resolve(toJson(operation.output ?? null, 'result', Number.POSITIVE_INFINITY) as never);
    return true;
  }

  /** What comes of an update that was handled before is in the log already; its handler runs again for what it does to the function. */
  #giveUpdate({ position, update: { name, input, number, isHandled } }: Result & { readonly update: Update }): boolean {
    const handler = this.#handlers.get(name);
    if (handler === undefined) return false;
    this.#given = position;
    const say = (outcome: { readonly output: Json } | { readonly error: string; readonly errorClass?: string }): void => {
      if (isHandled === true || this.#isAbandoned) return;
      this.#unsent.push({ type: 'update', update: number, ...outcome });
      this.#settleSoon();
    };
    const handle = async (): Promise<Json> => toJson(await handler(toJson(input, 'input', Number.POSITIVE_INFINITY)));
    handle().then(
      (output) => say({ output }),
      (error) => {
        const { message, errorClass } = asToolFailure(error);
        say({ error: message, ...(errorClass === null ? {} : { errorClass }) });
      },
    );
    return true;
  }

  /** From now on, updates of the name are given to the function. */
  handle(name: string, schema: JsonObject | null, handler: UpdateHandler): void {
    this.#handlers.set(name, handler);
    void this.begin('handler', name, schema === null ? {} : { schema });
  }

  #failOperation({ reject }: Pending, operation: Operation): void {
    reject(operation.kind === 'call' ? new CallError(operation) : new StepError(operation));
    if (operation.kind !== 'continue') return;
    this.#isContinuing = false;
    // It has not waited for the error.
    this.#end();
  }
}

/** Is it to be said although the function has ended? */
function isWanted(entry: OperationEntry): boolean {
  return (
    entry.type === 'update' ||
    entry.type === 'transition' ||
    (entry.type === 'begin' && (entry.kind === 'expose' || entry.kind === 'continue'))
  );
}

/** Each time another one: a promise that is waited for holds what waits. */
function never(): Promise<never> {
  return new Promise(() => {});
}

function tooMany(): WorkError {
  const limit = MAX_OPERATIONS.toLocaleString('en');
  return new WorkError(
    `too_many_operations: a durable function may have ${limit} operations: call ctx.continueAsNew(input) before, or ctx.call for a part of them`,
    { retryable: false, errorClass: 'too_many_operations' },
  );
}

function tooLarge(): WorkError {
  const limit = MAX_RESULTS_CHARS / 1024 / 1024;
  return new WorkError(`journal_too_large: the results of a durable function are larger than ${limit} MiB together`, {
    retryable: false,
    errorClass: 'journal_too_large',
  });
}
