import type { Fail, Message } from '../../machines/messages.ts';
import type { Run, Work } from '../../machines/run.ts';
import { BUDGET_EXCEEDED, budgetExceeded, workOf } from '../../machines/step.ts';
import { type WorkContext, WorkError, type WorkResult } from '../executors/executor.ts';
import type { Clock } from './clock.ts';
import type { Hot } from './hot.ts';

export interface DispatchOptions {
  readonly clock: Clock;
  /** Attempts that run at the same time; more wait for their turn, in order. */
  readonly concurrency: number;
  readonly vars: Readonly<Record<string, string>>;
  /** Delivers an attempt's outcome; must not reject. */
  readonly report: (executionId: string, attempt: Attempt, message: Message) => void;
}

export interface Attempt {
  readonly node: string;
  readonly activation: number;
  readonly attempt: number;
}

/** An attempt under way. Its AbortSignal is made when somebody asks for it: most functions never do. */
class Task implements Attempt {
  readonly hot: Hot;
  readonly run: Run;
  readonly node: string;
  readonly activation: number;
  readonly attempt: number;
  /** Set when nobody wants the outcome any more. */
  dropped = false;
  #controller: AbortController | null = null;
  #reason: WorkError | null = null;
  #onAbort: (reason: WorkError) => void = () => {};

  constructor(hot: Hot, run: Run, { node, activation, attempt }: Attempt) {
    this.hot = hot;
    this.run = run;
    this.node = node;
    this.activation = activation;
    this.attempt = attempt;
  }

  get aborted(): boolean {
    return this.#reason !== null;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get context(): WorkContext {
    const task = this;
    const { hot, node, activation, attempt } = task;
    return {
      executionId: hot.id,
      nodeId: node,
      attempt,
      idempotencyKey: `${hot.id}:${node}:${activation}`,
      get signal() {
        return task.signal;
      },
    };
  }

  abort(reason: WorkError): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#onAbort(reason);
  }

  /** What the work comes to, or the reason it was aborted for, whichever is first. */
  outcome(work: Promise<WorkResult>): Promise<WorkResult> {
    return new Promise((resolve, reject) => {
      if (this.#reason !== null) reject(this.#reason);
      this.#onAbort = reject;
      work.then(resolve, reject);
    });
  }
}

/**
 * In-process work: begun after the commit that made its attempt durable, aborted by deadline, cancel or stop.
 * Keeps nothing durable: what is lost with the process is found again in the snapshots.
 */
export class Dispatch {
  readonly #options: DispatchOptions;
  readonly #tasks = new Set<Task>();
  /** Most executions have one attempt under way; a fan-out has several. */
  readonly #byExecution = new Map<string, Task[]>();
  readonly #waiting: Task[] = [];
  #running = 0;
  #stopped = false;
  #whenIdle: (() => void)[] = [];

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  /** Attempts begun or waiting for their turn. */
  get size(): number {
    return this.#tasks.size;
  }

  begin(hot: Hot, run: Run, attempt: Attempt): void {
    if (this.#stopped) return;
    const task = new Task(hot, run, attempt);
    this.#add(task);
    if (this.#running < this.#options.concurrency) void this.#perform(task);
    else this.#waiting.push(task);
  }

  /** Attempts of one execution, begun or waiting. */
  countOf(executionId: string): number {
    return this.#byExecution.get(executionId)?.length ?? 0;
  }

  /** Somebody else has moved the execution on: attempts that are not wanted any more are abandoned, but for what was begun later than that. */
  keepOnly(executionId: string, seq: number, wanted: readonly Attempt[]): void {
    for (const task of this.#byExecution.get(executionId) ?? []) {
      if (task.run.seq <= seq && !wanted.some((attempt) => isSame(attempt, task))) this.#abandon(task);
    }
  }

  /** The visit is over: its attempt is told by its AbortSignal, and its outcome is dropped. */
  abandon(executionId: string, visit: { readonly node: string; readonly activation: number }): void {
    const task = this.#byExecution
      .get(executionId)
      ?.find(({ node, activation }) => node === visit.node && activation === visit.activation);
    if (task !== undefined) this.#abandon(task);
  }

  /** Nobody knows what of it is wanted. */
  abandonAll(): void {
    for (const task of [...this.#tasks]) this.#abandon(task);
  }

  /** Waits at most `graceMs` for what runs, then aborts it; what has not reported by then is left to be handed back. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    for (const task of this.#waiting.splice(0)) this.#remove(task);
    await this.#idleWithin(graceMs);
    for (const task of this.#tasks) task.abort(new WorkError('the runtime is stopping', { retryable: true }));
    await this.#idleWithin(Math.min(graceMs, 500));
    for (const task of this.#tasks) {
      task.dropped = true;
      this.#remove(task);
    }
  }

  #abandon(task: Task): void {
    task.dropped = true;
    this.#remove(task);
    task.abort(new WorkError('the node was cancelled', { retryable: false }));
    this.#wakeIdle();
  }

  #add(task: Task): void {
    this.#tasks.add(task);
    const others = this.#byExecution.get(task.hot.id);
    if (others === undefined) this.#byExecution.set(task.hot.id, [task]);
    else others.push(task);
  }

  #remove(task: Task): void {
    this.#tasks.delete(task);
    const { id } = task.hot;
    const left = this.#byExecution.get(id)?.filter((other) => other !== task) ?? [];
    if (left.length === 0) this.#byExecution.delete(id);
    else this.#byExecution.set(id, left);
  }

  #idleWithin(ms: number): Promise<void> {
    if (this.#tasks.size === 0 || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const callOff = this.#options.clock.after(ms, resolve, true);
      this.#whenIdle.push(() => {
        callOff();
        resolve();
      });
    });
  }

  #wakeIdle(): void {
    if (this.#tasks.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  async #perform(task: Task): Promise<void> {
    this.#running += 1;
    const { hot, node, activation, attempt } = task;
    const startedAtMs = this.#options.clock.nowMs();
    let message: Message;
    try {
      const work = workOf(hot.loaded.program, task.run, node, { executionId: hot.id, vars: this.#options.vars });
      if (work.inputErrors.length > 0) throw unrenderable(work);
      const result = await this.#withDeadline(task, work);
      const durationMs = this.#options.clock.nowMs() - startedAtMs;
      message = {
        type: 'done',
        node,
        activation,
        attempt,
        output: result.output,
        durationMs,
        ...(result.patch === undefined ? {} : { patch: result.patch }),
        ...(result.usage === undefined ? {} : { usage: result.usage }),
      };
    } catch (error) {
      message = { type: 'fail', node, activation, attempt, ...failureOf(error) };
    }
    this.#running -= 1;
    const next = this.#nextWanted();
    if (next !== undefined) void this.#perform(next);
    // An aborted attempt of a stopping runtime is handed back, not failed: only a result still counts.
    const handedBack = this.#stopped && task.aborted && message.type === 'fail';
    if (!task.dropped && !handedBack) this.#options.report(hot.id, task, message);
    if (!task.dropped) this.#remove(task);
    this.#wakeIdle();
  }

  /** Whoever was abandoned while it waited is not begun. */
  #nextWanted(): Task | undefined {
    for (;;) {
      const next = this.#waiting.shift();
      if (next?.dropped !== true) return next;
    }
  }

  /** Runs the executor; at the deadline it is aborted and no longer waited for. */
  async #withDeadline(task: Task, work: Work): Promise<WorkResult> {
    const execute = task.hot.loaded.executorOf(task.node);
    if (execute === null) throw new WorkError(`nothing in this process does the work of node ${task.node}`, { retryable: false });
    const seconds = work.timeoutSecs;
    if (seconds === null) return task.outcome(execute(work, task.context));
    const callOff = this.#options.clock.after(seconds * 1000, () => {
      task.abort(new WorkError(`timed out after ${seconds} s`, { retryable: true, errorClass: 'timeout' }));
    });
    try {
      return await task.outcome(execute(work, task.context));
    } finally {
      callOff();
    }
  }
}

function isSame(one: Attempt, other: Attempt): boolean {
  return one.node === other.node && one.activation === other.activation && one.attempt === other.attempt;
}

/** Better a failure than a tool that is handed null where the author wrote an expression. */
function unrenderable({ inputErrors, inputExceeded }: Work): WorkError {
  if (inputExceeded !== undefined)
    return new WorkError(budgetExceeded(inputExceeded), { retryable: false, errorClass: BUDGET_EXCEEDED });
  return new WorkError(`the input cannot be rendered: ${inputErrors.join('; ')}`, { retryable: false, errorClass: 'validation' });
}

function failureOf(error: unknown): Pick<Fail, 'error' | 'retryable' | 'errorClass' | 'httpStatus'> {
  const text = error instanceof Error ? error.message : String(error);
  if (!(error instanceof WorkError)) return { error: text, retryable: true };
  const { retryable, errorClass, httpStatus } = error;
  return {
    error: text,
    retryable,
    ...(errorClass === null ? {} : { errorClass }),
    ...(httpStatus === null ? {} : { httpStatus }),
  };
}
