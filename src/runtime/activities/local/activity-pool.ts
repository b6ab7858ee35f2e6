import type { Fail, Message } from '../../../../machines/messages.ts';
import type { Run, Work } from '../../../../machines/run.ts';
import { BUDGET_EXCEEDED, budgetExceededMessage, hasInputMapping, workOf } from '../../../../machines/step/index.ts';
import { WorkError, type WorkResult } from '../../../executors/executor.ts';
import type { Clock } from '../../clock.ts';
import type { CachedExecution } from '../../engine/loading/execution-cache.ts';
import type { TimeSlices } from '../../scheduling/time-slices.ts';
import { type ActivityAttempt, ActivityTask } from './activity-task.ts';
import { SlotQueue } from './slot-queue.ts';
import { Slots } from './slots.ts';

export interface ActivityPoolOptions {
  readonly clock: Clock;
  /** Attempts of one tenant that run at the same time; a third more is there for other tenants. */
  readonly concurrency: number;
  /** How long an attempt may wait for a slot. */
  readonly maxWaitMs: number;
  /** Inputs are rendered in slices of time. */
  readonly slices: TimeSlices;
  /** May work of the tenant start? */
  readonly isOpen: (tenantId: string) => boolean;
  /** Makes durable that an attempt which waited for a slot starts now; null = it is not wanted any more. Must not reject. */
  readonly claim: (executionId: string, attempt: ActivityAttempt) => Promise<Run | null>;
  /** Delivers an attempt's outcome; must not reject. */
  readonly report: (executionId: string, attempt: ActivityAttempt, message: Message) => void;
}

export interface SlotUsage {
  readonly running: number;
  readonly waiting: number;
  /** Null = nothing waits. */
  readonly oldestSinceMs: number | null;
}

/** Slots that a step has taken for what it begins. */
export interface SlotReservation {
  take(tenantId: string, executionId: string): boolean;
  /** What began has its own slot by now; what did not needs none. */
  release(): void;
}

/**
 * In-process work: begun after the commit that made its attempt durable, aborted by deadline, cancel or stop. When there is no slot it
 * waits, and its start is a commit of its own. Keeps nothing durable: what is lost with the process is found again in the snapshots.
 */
export class ActivityPool {
  readonly #options: ActivityPoolOptions;
  readonly #tasks = new Set<ActivityTask>();
  /** Most executions have one attempt under way; a fan-out has several. */
  readonly #byExecution = new Map<string, Set<ActivityTask>>();
  readonly #slots: Slots<ActivityTask>;
  readonly #queue: SlotQueue;
  /** Those that have a slot, and whose start is being made durable. */
  readonly #starting = new Set<ActivityTask>();
  #stopped = false;
  #whenIdle: (() => void)[] = [];

  constructor(options: ActivityPoolOptions) {
    this.#options = options;
    this.#slots = new Slots(options.concurrency, options.isOpen);
    this.#queue = new SlotQueue({
      slots: this.#slots,
      clock: options.clock,
      maxWaitMs: options.maxWaitMs,
      isOpen: options.isOpen,
      expired: (task) => this.#expire(task),
    });
  }

  /** Attempts begun or waiting for their turn. */
  get size(): number {
    return this.#tasks.size;
  }

  /** What a tenant, or all of them, have under way and waiting. */
  usage(tenantId?: string): SlotUsage {
    const { count, oldestSinceMs } = tenantId === undefined ? this.#queue.all() : this.#queue.of(tenantId);
    const running = tenantId === undefined ? this.#slots.running : this.#slots.runningOf(tenantId);
    return { running, waiting: count, oldestSinceMs };
  }

  /** Attempts of a tenant, begun or waiting. */
  sizeOf(tenantId: string): number {
    return this.#slots.runningOf(tenantId) + this.#queue.of(tenantId).count;
  }

  /** Attempts that a step begins after this start at once as far as there are slots. */
  reserve(): SlotReservation {
    const taken: { readonly tenantId: string; readonly executionId: string }[] = [];
    return {
      take: (tenantId, executionId) => {
        const isTaken = !this.#stopped && this.#slots.take(tenantId, executionId);
        if (isTaken) taken.push({ tenantId, executionId });
        return isTaken;
      },
      release: () => {
        if (taken.length === 0) return;
        for (const { tenantId, executionId } of taken.splice(0)) this.#slots.free(tenantId, executionId);
        this.#fill();
      },
    };
  }

  /** An attempt whose start is durable. */
  start(hot: CachedExecution, run: Run, attempt: ActivityAttempt): void {
    if (this.#stopped) return;
    const task = new ActivityTask(hot, run, attempt);
    this.#add(task);
    this.#slots.occupy(task.tenantId, task.executionId);
    void this.#perform(task, run);
  }

  /** An attempt that waits for a slot. */
  enqueue(hot: CachedExecution, run: Run, attempt: ActivityAttempt): void {
    if (this.#stopped) return;
    const task = new ActivityTask(hot, run, attempt);
    this.#add(task);
    // The start of an attempt that was given up and is wanted again may be on its way: it is this one's, if it is taken.
    const before = [...this.#starting].find((other) => other.executionId === hot.id && other.is(attempt));
    if (before !== undefined) before.successor = task;
    else this.#queue.add(task);
    this.#fill();
  }

  /** Work of the tenant may start that could not before. */
  reopen(tenantId: string): void {
    this.#queue.reopen(tenantId);
    this.#fill();
  }

  /** Attempts of one execution, begun or waiting. */
  countOf(executionId: string): number {
    return this.#byExecution.get(executionId)?.size ?? 0;
  }

  /** Somebody else has moved the execution on: attempts that are not wanted any more are abandoned, but for what was begun later than that. */
  keepOnly(executionId: string, seq: number, wanted: readonly ActivityAttempt[]): void {
    for (const task of [...(this.#byExecution.get(executionId) ?? [])]) {
      if (task.seq <= seq && !wanted.some((attempt) => task.is(attempt))) this.#abandon(task);
    }
  }

  /**
   * The step that led to `seq` gave up the visit's attempt: its AbortSignal is set, and its outcome is dropped. An attempt begun from that
   * step or a later one stays: a look at the store may have begun it before the commit of the step was answered.
   */
  abandon(executionId: string, visit: { readonly node: string; readonly activation: number }, seq: number): void {
    for (const task of this.#byExecution.get(executionId) ?? []) {
      if (task.node !== visit.node || task.activation !== visit.activation || task.seq >= seq) continue;
      this.#abandon(task);
      return;
    }
  }

  /** Nobody knows what of it is wanted. */
  abandonAll(): void {
    for (const task of [...this.#tasks]) this.#abandon(task);
  }

  /** Waits at most `graceMs` for what runs, then aborts it; what has not reported by then is left to be handed back. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    for (const task of this.#queue.stop()) this.#remove(task);
    await this.#idleWithin(graceMs);
    for (const task of this.#tasks) task.abort(new WorkError('the runtime is stopping', { retryable: true }));
    await this.#idleWithin(Math.min(graceMs, 500));
    for (const task of this.#tasks) {
      task.dropped = true;
      this.#remove(task);
    }
  }

  #abandon(task: ActivityTask): void {
    task.dropped = true;
    this.#queue.remove(task);
    this.#remove(task);
    task.abort(new WorkError('the node was cancelled', { retryable: false }));
    this.#wakeIdle();
  }

  #add(task: ActivityTask): void {
    this.#tasks.add(task);
    const others = this.#byExecution.get(task.executionId);
    if (others === undefined) this.#byExecution.set(task.executionId, new Set([task]));
    else others.add(task);
  }

  #remove(task: ActivityTask): void {
    this.#tasks.delete(task);
    const left = this.#byExecution.get(task.executionId);
    left?.delete(task);
    if (left?.size === 0) this.#byExecution.delete(task.executionId);
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

  /** Starts what waits, as far as there are slots. */
  #fill(): void {
    while (!this.#stopped) {
      const task = this.#queue.next();
      if (task === null) return;
      void this.#claimAndPerform(task);
    }
  }

  async #claimAndPerform(task: ActivityTask): Promise<void> {
    this.#starting.add(task);
    const run = await this.#options.claim(task.executionId, task);
    this.#starting.delete(task);
    const started = run === null ? null : startedTask(task, run);
    if (started !== task) this.#remove(task);
    if (task.successor !== null && task.successor !== started) this.#waitAgain(task.successor);
    if (run === null || started === null) {
      this.#free(task);
      this.#wakeIdle();
    } else {
      started.seq = run.seq;
      await this.#perform(started, run);
    }
  }

  #waitAgain(task: ActivityTask): void {
    if (this.#stopped) this.#remove(task);
    else if (!task.dropped) this.#queue.add(task);
  }

  #free({ tenantId, executionId }: ActivityTask): void {
    this.#slots.free(tenantId, executionId);
    this.#fill();
  }

  #expire(task: ActivityTask): void {
    const running = this.#slots.runningOf(task.tenantId);
    const error = `waited ${this.#options.maxWaitMs / 1000} s for a slot; tenant ${task.tenantId} has ${running} in-process attempts under way, of at most ${this.#options.concurrency}`;
    const { node, activation, attempt } = task;
    this.#remove(task);
    this.#options.report(task.executionId, task, { type: 'fail', node, activation, attempt, error, retryable: true });
  }

  async #perform(task: ActivityTask, run: Run): Promise<void> {
    const { executionId, node, activation, attempt } = task;
    const startedAtMs = this.#options.clock.nowMs();
    let message: Message;
    try {
      if (hasInputMapping(task.loaded.program, node)) await this.#awaitSlice(task);
      const work = workOf(task.loaded.program, run, node, { executionId, vars: task.loaded.vars });
      if (work.inputErrors.length > 0) throw inputError(work);
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
    // An aborted attempt of a stopping runtime is handed back, not failed: only a result still counts.
    const handedBack = this.#stopped && task.aborted && message.type === 'fail';
    if (!task.dropped && !handedBack) this.#options.report(executionId, task, message);
    if (!task.dropped) this.#remove(task);
    // What starts next shares the commit of what has ended.
    this.#free(task);
    this.#wakeIdle();
  }

  /** A step may begin hundreds of nodes at once, and each may take all of a step's budget to render its input. */
  async #awaitSlice({ tenantId }: ActivityTask): Promise<void> {
    await this.#options.slices.slice(tenantId).next();
  }

  /** Runs the executor; at the deadline it is aborted and no longer waited for. */
  async #withDeadline(task: ActivityTask, work: Work): Promise<WorkResult> {
    const execute = task.loaded.executorOf(task.node);
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

/** Whose start the step that led to `run` made durable: the attempt itself, or the one that took its place before that step. */
function startedTask(task: ActivityTask, run: Run): ActivityTask | null {
  if (!task.dropped) return task;
  const { successor } = task;
  return successor !== null && !successor.dropped && successor.seq < run.seq ? successor : null;
}

/** Better a failure than a tool that is handed null where the author wrote an expression. */
function inputError({ inputErrors, inputExceeded }: Work): WorkError {
  if (inputExceeded !== undefined)
    return new WorkError(budgetExceededMessage(inputExceeded), { retryable: false, errorClass: BUDGET_EXCEEDED });
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
