import type { Done, Fail, Message, Usage, Visit } from '../../../../machines/messages.ts';
import type { Run, Work } from '../../../../machines/run.ts';
import { usageSum } from '../../../../machines/step/actions/usage.ts';
import { BUDGET_EXCEEDED, budgetExceededMessage, hasInputMapping, workOf } from '../../../../machines/step/index.ts';
import { ChurnSet } from '../../../../store/churn-map.ts';
import { withinAttempt } from '../../../executors/attempt-code.ts';
import type { LiveFunctions } from '../../../executors/durable/live-functions.ts';
import { type LogProgress, WorkError, type WorkResult } from '../../../executors/executor.ts';
import type { JournalAccess } from '../../../executors/journal-access.ts';
import { nextProgress } from '../../../executors/tool-context/progress.ts';
import { withinTrace } from '../../../executors/trace-headers.ts';
import type { RuntimeContext } from '../../context.ts';
import type { Deliver, Report } from '../../engine/deliver.ts';
import type { MessageOutcome } from '../../engine/envelope.ts';
import type { CachedExecution } from '../../engine/loading/cached-execution.ts';
import { monthOf } from '../../month.ts';
import type { UsageBounds } from '../../quotas/usage-bounds.ts';
import { redactedInSlices, redactedSoon } from '../../redaction/in-slices.ts';
import { redactedEntry } from '../../redaction/log-entry.ts';
import { redactorAt } from '../../redaction/shown-run.ts';
import { retryForever } from '../../retry-forever.ts';
import type { Slice } from '../../scheduling/time-slices.ts';
import type { Traces } from '../../traces.ts';
import type { InProcessView, ToolLogEntry } from '../../types/work.ts';
import { ActivityTask, type ToolReports } from './activity-task.ts';
import { failureOf, withNamedVars } from './attempt-failure.ts';
import type { BudgetReservations } from './budget-reservations.ts';
import { journalViewOf } from './journal-view.ts';
import { LiveTexts } from './live-texts.ts';
import { SlotQueue } from './slot-queue.ts';
import type { Slots } from './slots.ts';
import type { StartedAttempts } from './started-attempts.ts';
import type { TaskRegistry } from './task-registry.ts';

export interface ActivityPoolOptions
  extends Pick<RuntimeContext, 'runtimeId' | 'store' | 'clock' | 'slices' | 'events' | 'stopping' | 'onError'> {
  readonly slots: Slots<ActivityTask>;
  readonly tasks: TaskRegistry;
  readonly started: StartedAttempts;
  readonly traces: Traces;
  /** Attempts of one tenant that run at the same time; a third more slots are for other tenants. */
  readonly concurrency: number;
  /** How long an attempt may wait for a slot. */
  readonly maxWaitMs: number;
  /** May work of the tenant start? */
  readonly isActive: (tenantId: string) => boolean;
  readonly usageBounds: UsageBounds;
  readonly budgets: BudgetReservations;
  readonly live: LiveFunctions;
  readonly deliver: Deliver;
  readonly report: Report;
  /** Takes what tools log. Default: it is dropped. */
  readonly onToolLog?: ((entry: ToolLogEntry) => void) | undefined;
}

/** Of what a running attempt says: the runtime that owns the execution may have begun it again. */
const FROM_OWNER = { fromOwner: true } as const;

/**
 * Runs in-process attempts: they start after the commit that made them durable, and are aborted by deadline, cancel or stop. An
 * attempt that finds no slot waits, and its start is a commit of its own. Keeps nothing durable: what is lost with the process is
 * recovered from the snapshots.
 */
export class ActivityPool {
  /** What running attempts have written before their results. */
  readonly texts: LiveTexts;
  readonly #options: ActivityPoolOptions;
  readonly #queue: SlotQueue;
  /** Tasks that have a slot, and whose start is being committed. */
  readonly #starting = new ChurnSet<ActivityTask>();
  /** Tasks that begin in this turn of the event loop, each with the run that started it. */
  readonly #beginning: { readonly task: ActivityTask; readonly run: Run }[] = [];
  /** Usage that is being written beside the log. */
  readonly #counting = new ChurnSet<Promise<unknown>>();
  #whenIdle: (() => void)[] = [];
  readonly #reports: ToolReports = {
    log: ({ tenantId, executionId, node, attempt, redactor }, level, message, fields) => {
      const { onToolLog, slices } = this.#options;
      if (onToolLog === undefined) return;
      const write = (entry: Pick<ToolLogEntry, 'message' | 'fields'>): void =>
        onToolLog({ level, ...entry, tenantId, executionId, nodeId: node, attempt });
      if (redactor === null) write({ message, fields });
      else redactedSoon(slices.slice(tenantId), () => redactedEntry(redactor, message, fields), write, this.#options.onError);
    },
    progress: (task, said) =>
      this.texts.report(task, (before) => {
        const { fraction, text } = nextProgress(before, said);
        return { fraction, text: typeof said === 'string' && text !== null ? (task.redactor?.text(text) ?? text) : text };
      }),
    used: async (task, usage) => {
      // What an attempt that was given up has used is counted as an estimate.
      if (!task.dropped && !task.aborted)
        await this.#logUsage(task, await this.#options.usageBounds.counted(task.tenantId, usage));
      if (task.dropped || task.aborted) throw new WorkError('the attempt is over', { retryable: true });
    },
  };

  constructor(options: ActivityPoolOptions) {
    this.#options = options;
    const { slots, clock, slices, maxWaitMs, isActive, events } = options;
    this.texts = new LiveTexts(clock, slices);
    this.#queue = new SlotQueue({ slots, clock, maxWaitMs, isActive, onExpired: (task) => this.#expire(task) });
    events.on('slotsReleased', () => this.#fill());
    events.on('tenantReactivated', (tenantId) => {
      this.#queue.reopen(tenantId);
      this.#fill();
    });
  }

  /** Running and waiting attempts, of a tenant or of all. */
  inProcess(tenantId?: string): InProcessView {
    const { slots } = this.#options;
    const { count, oldestSinceMs } = tenantId === undefined ? this.#queue.all() : this.#queue.of(tenantId);
    const running = tenantId === undefined ? slots.running : slots.runningOf(tenantId);
    return { running, waiting: count, oldestWaitingSinceMs: oldestSinceMs };
  }

  /** The number of a tenant's attempts, running or waiting. */
  sizeOf(tenantId: string): number {
    return this.#options.slots.runningOf(tenantId) + this.#queue.of(tenantId).count;
  }

  /** Starts an attempt that the run asks for, unless it was started already. `waits`: it waits for a slot. */
  startOnce(execution: CachedExecution, run: Run, visit: Visit, waits: boolean): void {
    if (!this.#options.started.add(execution.id, visit, run.seq)) return;
    if (waits) this.#enqueue(execution, run, visit);
    else this.#start(execution, run, visit);
  }

  #taskOf(execution: CachedExecution, run: Run, visit: Visit): ActivityTask {
    return new ActivityTask(execution, run, visit, this.#reports, this.#options.traces.ofAttempt(execution, visit));
  }

  #start(execution: CachedExecution, run: Run, visit: Visit): void {
    if (this.#options.stopping.aborted) return;
    const task = this.#taskOf(execution, run, visit);
    this.#options.tasks.add(task);
    this.#options.budgets.occupy(task, run);
    this.#options.slots.occupy(task.tenantId, task.executionId);
    this.#performSoon(task, run);
  }

  #enqueue(execution: CachedExecution, run: Run, visit: Visit): void {
    if (this.#options.stopping.aborted) return;
    const task = this.#taskOf(execution, run, visit);
    this.#options.tasks.add(task);
    this.#options.budgets.enter(task, run, () => this.#waitForSlot(task));
  }

  #waitForSlot(task: ActivityTask): void {
    // The start of an attempt that was abandoned and is wanted again may be in progress: if it is committed, this task takes it over.
    const before = [...this.#starting].find((other) => other.executionId === task.executionId && other.is(task));
    if (before !== undefined) before.successor = task;
    else this.#queue.add(task);
    this.#fill();
  }

  /** Another runtime moved the execution on: calls of models that wait for its budget may begin. */
  movedOn(executionId: string, run: Run): void {
    this.#options.budgets.update(executionId, run);
    for (const task of this.#options.tasks.of(executionId)) task.onJournalChange?.(run);
  }

  /** Another runtime moved the execution on to `seq`: abandons attempts that are not in `wanted`, except those started later. */
  keepOnly(executionId: string, seq: number, wanted: readonly Visit[]): void {
    for (const task of [...this.#options.tasks.of(executionId)]) {
      if (task.seq <= seq && !wanted.some((visit) => task.is(visit))) this.#abandonAt(task, seq);
    }
  }

  /**
   * The step that led to `seq` abandoned the visit: aborts its attempt, whose result is dropped. An attempt that was started from
   * that step or a later one stays: a look at the store may have started it before the commit of the step was answered.
   */
  abandonVisit(executionId: string, visit: Omit<Visit, 'attempt'>, seq: number): void {
    const { node, activation, item } = visit;
    this.#options.live.abandon(executionId, visit);
    for (const task of this.#options.tasks.of(executionId)) {
      if (task.node !== node || task.activation !== activation || task.item !== item || task.seq >= seq) continue;
      this.#abandonAt(task, seq);
      return;
    }
  }

  /** A later run than that at `seq` may ask for the same attempt again: a suspended execution is resumed. */
  #abandonAt(task: ActivityTask, seq: number): void {
    this.#abandon(task);
    this.#options.started.refused(task.executionId, task, seq);
  }

  abandonAll(): void {
    for (const task of this.#options.tasks.all()) this.#abandon(task);
  }

  /**
   * Waits at most `graceMs` for running attempts, then aborts them. Attempts that have not ended by then are left for recovery.
   */
  async stop(graceMs: number): Promise<void> {
    const { tasks } = this.#options;
    for (const task of this.#queue.stop()) tasks.remove(task);
    await this.#idleWithin(graceMs);
    this.texts.close();
    this.#options.live.abandonAll();
    for (const task of tasks.all()) task.abort(new WorkError('the runtime is stopping', { retryable: true }));
    await this.#idleWithin(Math.min(graceMs, 500));
    for (const task of tasks.all()) {
      task.dropped = true;
      tasks.remove(task);
    }
    await Promise.all(this.#counting);
  }

  #abandon(task: ActivityTask): void {
    task.dropped = true;
    this.#queue.remove(task);
    this.#options.tasks.remove(task);
    // What one that has begun used is counted before others begin in its place (`#end`).
    if (!task.begun) this.#options.budgets.leave(task);
    task.abort(new WorkError('the node was cancelled', { retryable: false }));
    this.#wakeIdle();
  }

  #idleWithin(ms: number): Promise<void> {
    if (this.#options.tasks.size === 0 || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancelTimer = this.#options.clock.after(ms, resolve, true);
      this.#whenIdle.push(() => {
        cancelTimer();
        resolve();
      });
    });
  }

  #wakeIdle(): void {
    if (this.#options.tasks.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Starts waiting tasks as long as there are slots. */
  #fill(): void {
    while (!this.#options.stopping.aborted) {
      const task = this.#queue.next();
      if (task === null) return;
      void this.#claimAndPerform(task);
    }
  }

  async #claimAndPerform(task: ActivityTask): Promise<void> {
    this.#starting.add(task);
    const run = await this.#claim(task);
    this.#starting.delete(task);
    const started = run === null ? null : startedTask(task, run);
    if (started !== task) this.#options.tasks.remove(task);
    if (task.successor !== null && task.successor !== started) this.#requeue(task.successor);
    if (started !== task) this.#options.budgets.leave(task, run ?? undefined);
    if (run === null || started === null) {
      this.#free(task);
      this.#wakeIdle();
    } else {
      started.seq = run.seq;
      this.#performSoon(started, run);
    }
  }

  /** Commits the start of an attempt that waited for a slot; null = it is not wanted any more, or the runtime stops. */
  async #claim({ executionId, visit }: ActivityTask): Promise<Run | null> {
    const { deliver, runtimeId, started } = this.#options;
    const outcome = await deliver(executionId, { type: 'claimed', ...visit, workerId: runtimeId, local: true }, FROM_OWNER);
    if (outcome === null) return null;
    if (!('refused' in outcome)) return outcome.run;
    started.refused(executionId, visit, seqOf(outcome));
    return null;
  }

  /** Reports the outcome of an attempt. If it is refused and the attempt is wanted after all, it is started again. */
  #report(task: ActivityTask, message: Message): void {
    const { executionId, visit } = task;
    this.#options.report(executionId, message, (outcome) => {
      task.onEnd?.();
      if (outcome === null) return;
      this.#options.budgets.leave(task, 'refused' in outcome ? undefined : outcome.run);
      if (!('refused' in outcome)) return;
      this.#options.started.refused(executionId, visit, seqOf(outcome));
      if (outcome.refused === 'thread') void this.#repeatTurn(task, message).catch(this.#options.onError);
    });
  }

  /** Another turn has been committed to the thread that this one has read: the attempt begins again, and what it used is logged. */
  async #repeatTurn({ executionId, visit }: ActivityTask, message: Message): Promise<void> {
    const { deliver } = this.#options;
    const usage = message.type === 'done' ? message.usage : undefined;
    if (usage !== undefined) await deliver(executionId, { type: 'used', ...visit, usage });
    await deliver(executionId, { type: 'requeue', ...visit, unbegun: true });
  }

  #requeue(task: ActivityTask): void {
    if (this.#options.stopping.aborted) this.#options.tasks.remove(task);
    else if (!task.dropped) this.#queue.add(task);
  }

  #free({ tenantId, executionId }: ActivityTask): void {
    this.#options.slots.free(tenantId, executionId);
    this.#fill();
  }

  #expire(task: ActivityTask): void {
    const { slots, maxWaitMs, concurrency, tasks } = this.#options;
    const running = slots.runningOf(task.tenantId);
    const error = `waited ${maxWaitMs / 1000} s for a slot; tenant ${task.tenantId} has ${running} in-process attempts running, of at most ${concurrency}`;
    tasks.remove(task);
    this.#report(task, { type: 'fail', ...task.visit, error, retryable: true, unbegun: true });
  }

  /** Performs the task once all that shares its commit is settled, together with the other tasks that start then. */
  #performSoon(task: ActivityTask, run: Run): void {
    task.begun = true;
    if (this.#beginning.push({ task, run }) === 1) queueMicrotask(() => this.#performAll());
  }

  #performAll(): void {
    const { slices } = this.#options;
    for (const { task, run } of this.#beginning.splice(0)) {
      // A step may start hundreds of nodes at once, and rendering each input may take a step's whole evaluation budget.
      const slice = slices.slice(task.tenantId);
      const turn = hasInputMapping(task.loaded.program, task.node) ? slice.next() : null;
      if (task.loaded.program.tables.dataRules !== null) void this.#performRedacted(task, run, slice);
      else if (turn === null) this.#perform(task, run);
      else void turn.then(() => this.#perform(task, run));
    }
  }

  /** What models are given is redacted first. */
  async #performRedacted(task: ActivityTask, run: Run, slice: Slice): Promise<void> {
    const { loaded, executionId } = task;
    let work = (): Work => workOf(loaded.program, run, task, { executionId, vars: loaded.vars });
    try {
      const redacted = await redactedInSlices(slice, work);
      work = () => redacted;
    } catch (error) {
      work = () => {
        throw error;
      };
    }
    this.#perform(task, run, work);
  }

  /** Runs the executor. At the deadline it is aborted and no longer waited for. */
  #perform(task: ActivityTask, run: Run, workOfTask?: () => Work): void {
    const { clock } = this.#options;
    const { executionId, node, loaded } = task;
    const startedAtMs = clock.nowMs();
    task.redactor = redactorAt(loaded.program, run, node);
    const text = this.texts.begin(task, task.redactor);
    let cancelTimer: (() => void) | null = null;
    const end = (message: Done | Fail): void => {
      cancelTimer?.();
      text.end();
      if (message.usage === undefined) this.#end(task, message);
      else this.#endMetered(task, message, message.usage);
    };
    const fail = (error: unknown): void => end(failure(task, error, clock.nowMs()));
    try {
      const work = workOfTask?.() ?? workOf(loaded.program, run, task, { executionId, vars: loaded.vars });
      if (work.inputErrors.length > 0) throw inputError(work);
      const execute = loaded.executorOf(node);
      if (execute === null) throw new WorkError(`this process has no executor for node ${node}`, { retryable: false });
      const seconds = work.timeoutSecs;
      if (seconds !== null) {
        cancelTimer = clock.after(seconds * 1000, () => {
          task.abort(new WorkError(`timed out after ${seconds} s`, { retryable: true, errorClass: 'timeout' }));
        });
      }
      const done = (result: WorkResult): void => {
        if (result.parkedAt !== undefined) {
          cancelTimer?.();
          text.end();
          this.#leave(task, result.parkedAt);
        } else end(completion(task, result, clock.nowMs() - startedAtMs));
      };
      const journal = this.#journalOf(task, run);
      const begin = () => execute(work, task.context, text.add, this.#progressLog(task), journal);
      task.whenSettled(
        withinAttempt(task, () => withinTrace(task.traceparent, begin)),
        done,
        fail,
      );
    } catch (error) {
      fail(error);
    }
  }

  /** The attempt ends without an outcome: the run at `seq` has parked its durable function, and a later one may ask for it again. */
  #leave(task: ActivityTask, seq: number): void {
    this.#options.started.refused(task.executionId, task, seq);
    this.#options.budgets.leave(task);
    if (!task.dropped) this.#options.tasks.remove(task);
    this.#free(task);
    this.#wakeIdle();
  }

  #journalOf(task: ActivityTask, run: Run): JournalAccess | undefined {
    const view = journalViewOf(run, task);
    if (view === null) return undefined;
    const { executionId, node, activation, attempt } = task;
    const visit = { node, activation, attempt };
    const { live, clock } = this.#options;
    return {
      clock,
      view,
      append: async (entries, parkedAfter) => {
        const isOver = task.dropped || task.aborted;
        const parks = parkedAfter === undefined ? {} : { parkedAfter };
        const outcome = isOver
          ? null
          : await this.#options.deliver(executionId, { type: 'operations', ...visit, entries, ...parks }, FROM_OWNER);
        const isTaken = outcome !== null && !('refused' in outcome);
        if (outcome !== null && !isTaken && entries.length === 0 && parkedAfter !== undefined) return null;
        const changed = isTaken ? journalViewOf(outcome.run, visit) : null;
        if (changed !== null) return changed;
        // Another runtime may have begun the attempt again: what comes of this one is not its failure.
        if (!task.dropped) this.#abandon(task);
        throw new WorkError('the attempt is over', { retryable: true });
      },
      onChange: (listener) => {
        task.onJournalChange = (later) => {
          const changed = journalViewOf(later, visit);
          if (changed !== null) listener(changed);
        };
        if (task.changedRun !== null) task.onJournalChange(task.changedRun);
      },
      keep: (parked) => live.keep(executionId, visit, parked),
      drop: (parked) => live.drop(executionId, visit, parked),
      take: () => live.take(executionId, visit),
    };
  }

  /** Something else than the attempt has changed the journal of a visit. */
  operationsChanged(executionId: string, { node, activation }: Pick<Visit, 'node' | 'activation'>, run: Run): void {
    for (const task of this.#options.tasks.of(executionId))
      if (task.node === node && task.activation === activation) {
        task.changedRun = run;
        task.onJournalChange?.(run);
      }
  }

  /** Logs events of the task as long as it goes on. */
  #progressLog(task: ActivityTask): LogProgress {
    return async (event, data) => {
      const { executionId, visit } = task;
      const isOver = (): boolean => task.dropped || task.aborted;
      const outcome = isOver()
        ? null
        : await this.#options.deliver(executionId, { type: 'progress', ...visit, event, data }, FROM_OWNER);
      if (outcome === null || 'refused' in outcome) throw new WorkError('the attempt is over', { retryable: true });
    };
  }

  /** Ends the task once the limits of its tenant are known; those that cannot be read are the default ones. */
  #endMetered(task: ActivityTask, message: Done | Fail, usage: Usage): void {
    const { usageBounds, onError } = this.#options;
    const counted = usageBounds.counted(task.tenantId, usage);
    const end = (known: Usage): void => this.#end(task, known === usage ? message : Object.assign({}, message, { usage: known }));
    if (!(counted instanceof Promise)) end(counted);
    else
      counted.then(end, (error) => {
        onError(error);
        end(usageBounds.countedByDefault(usage));
      });
  }

  /** Logs what an attempt has used whose outcome is not logged. */
  #countUsage(task: ActivityTask, usage: Usage | undefined): void {
    const { budgets, onError } = this.#options;
    if (usage === undefined || tokensOf(usage) + (usage.cost_usd ?? 0) === 0) budgets.leave(task);
    else void this.#logUsage(task, usage, (run) => budgets.leave(task, run)).catch(onError);
  }

  /** Logs what a call has used. What comes after the end of the execution counts for the month alone. */
  #logUsage(task: ActivityTask, usage: Usage, onRun: (run?: Run) => void = () => {}): Promise<void> {
    const logged = this.#options.deliver(task.executionId, { type: 'used', ...task.visit, usage }).then((outcome) => {
      const isLogged = outcome !== null && !('refused' in outcome);
      onRun(isLogged ? outcome.run : undefined);
      return isLogged ? undefined : this.#countForMonth(task.tenantId, { tokens: tokensOf(usage), costUsd: usage.cost_usd ?? 0 });
    });
    const counted = logged.catch(() => {}).then(() => void this.#counting.delete(counted));
    this.#counting.add(counted);
    return logged;
  }

  async #countForMonth(tenantId: string, used: { readonly tokens: number; readonly costUsd: number }): Promise<void> {
    const { store, clock } = this.#options;
    await retryForever(this.#options, () => store.tenants.addUsage(tenantId, { month: monthOf(clock.nowMs()), ...used }));
  }

  #end(task: ActivityTask, message: Done | Fail): void {
    const { stopping, tasks } = this.#options;
    // When the runtime stops, an aborted attempt is handed back and not failed: only a result still counts.
    const isHandedBack = stopping.aborted && task.aborted && message.type === 'fail';
    if (!task.dropped && !isHandedBack) this.#report(task, message);
    else {
      task.onEnd?.();
      this.#countUsage(task, message.usage);
    }
    if (!task.dropped) tasks.remove(task);
    // After the report, so that what starts next shares its commit.
    this.#free(task);
    this.#wakeIdle();
  }
}

/**
 * The task whose start the step that led to `run` made durable: the task itself, or the successor that took its place before that
 * step.
 */
function startedTask(task: ActivityTask, run: Run): ActivityTask | null {
  if (!task.dropped) return task;
  const { successor } = task;
  return successor !== null && !successor.dropped && successor.seq < run.seq ? successor : null;
}

function tokensOf({ input_tokens = 0, output_tokens = 0 }: Usage): number {
  return input_tokens + output_tokens;
}

/** The sequence of the run that refused a message; undefined = the store refused it. */
function seqOf(outcome: MessageOutcome): number | undefined {
  return 'seq' in outcome ? outcome.seq : undefined;
}

/** The attempt fails, rather than that a tool gets null where the author wrote an expression. */
function inputError({ inputErrors, inputExceeded }: Work): WorkError {
  if (inputExceeded !== undefined)
    return new WorkError(budgetExceededMessage(inputExceeded), { retryable: false, errorClass: BUDGET_EXCEEDED });
  return new WorkError(`the input cannot be rendered: ${inputErrors.join('; ')}`, { retryable: false, errorClass: 'validation' });
}

function completion(task: ActivityTask, result: WorkResult, durationMs: number): Done {
  const { node, activation, attempt, item } = task;
  return {
    type: 'done',
    node,
    activation,
    attempt,
    item,
    output: result.output,
    durationMs,
    ...(result.patch === undefined ? {} : { patch: result.patch }),
    ...usageOf(task, result.usage ?? null),
    ...(result.route === undefined ? {} : { route: result.route }),
    ...(result.thread === undefined ? {} : { thread: result.thread }),
  };
}

function failure(task: ActivityTask, error: unknown, nowMs: number): Fail {
  const { visit, loaded } = task;
  const { usage = null, ...failed } = withNamedVars(loaded.vars, failureOf(error, nowMs));
  return { type: 'fail', ...visit, ...failed, ...usageOf(task, usage) };
}

/** What the executor says that it has used, and what the tool has reported. */
function usageOf(task: ActivityTask, ofExecutor: Usage | null): { readonly usage?: Usage } {
  // Of an attempt that was aborted, the executor says nothing more.
  const used = ofExecutor ?? (task.aborted ? (task.used?.() ?? null) : null);
  const reported = task.usage?.total ?? null;
  const total = reported === null ? used : usageSum(used, reported);
  return total === null ? {} : { usage: total };
}
