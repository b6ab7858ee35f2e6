import { isObject, type Json } from '../../../../machines/json.ts';
import type { Usage, Visit } from '../../../../machines/messages.ts';
import type { Redactor } from '../../../../machines/redaction/redactor.ts';
import type { Run } from '../../../../machines/run.ts';
import { stateOf } from '../../../../machines/step/index.ts';
import type { AttemptCode } from '../../../executors/attempt-code.ts';
import type { WorkContext, WorkError, WorkResult } from '../../../executors/executor.ts';
import type { ToolMemory } from '../../../executors/memory/connector.ts';
import type { ToolThread } from '../../../executors/threads/message.ts';
import type { ThreadReading, ThreadWindow } from '../../../executors/threads/reading.ts';
import type { ReportedUsage } from '../../../executors/tool-context/reported-usage.ts';
import { type ToolLog, type ToolLogFields, type ToolLogLevel, toolLog } from '../../../executors/tool-context/tool-log.ts';
import { UsageMeter } from '../../../executors/tool-context/usage-meter.ts';
import type { CachedExecution } from '../../engine/loading/cached-execution.ts';
import type { Starter } from '../../engine/loading/starter.ts';
import type { LoadedWorkflow } from '../../engine/loading/workflow-cache.ts';
import { startThreadIn } from '../../start-labels.ts';
import { idempotencyKeyOf } from '../idempotency-key.ts';

/** Takes what tools say while they run. */
export interface ToolReports {
  log(task: ActivityTask, level: ToolLogLevel, message: string, fields: ToolLogFields): void;
  /** Throws for what is no progress. */
  progress(task: ActivityTask, progress: number | string): void;
  /** Logs what a call has used beside the outcome of the attempt. */
  used(task: ActivityTask, usage: Usage): Promise<void>;
}

/**
 * An in-process attempt, waiting for a slot or running. Its AbortSignal is created on first use: most functions never ask for it.
 */
export class ActivityTask implements Visit, AttemptCode {
  readonly executionId: string;
  readonly tenantId: string;
  readonly loaded: LoadedWorkflow;
  readonly startedBy: Starter;
  /** Place of the attempt in a trace; undefined = it is in none. */
  readonly traceparent: string | undefined;
  /** JSON object text. */
  readonly labels: string;
  readonly node: string;
  readonly activation: number;
  readonly attempt: number;
  readonly item: number | undefined;
  /** Id of the thread of the agent that calls the tool, or with which the execution was started; null = there is none. */
  readonly thread: string | null;
  /** The sequence of the run that started or queued it. */
  seq: number;
  /** Its executor is about to be called, so it ends with an outcome. */
  begun = false;
  /** Set when the result is not wanted any more. */
  dropped = false;
  /** The same attempt, wanted again while the start of this one was being committed. */
  successor: ActivityTask | null = null;
  /** When it began to wait for a slot, in milliseconds since the epoch; null = it does not wait. */
  waitsSinceMs: number | null = null;
  /** Redacts what the tool shows; null = the workflow has no data policy. */
  redactor: Redactor | null = null;
  /** What the tool has reported; null = nothing. */
  usage: UsageMeter | null = null;
  /** What a call in progress has used so far; null = there is none. */
  used: (() => Usage | null) | null = null;
  /** Called once its outcome is committed, or not wanted. */
  onEnd: (() => void) | null = null;
  /** Is told of commits that have changed the journal of a durable function. */
  onJournalChange: ((run: Run) => void) | null = null;
  /** The last run that something else than the attempt has changed: it may come before the attempt listens. */
  changedRun: Run | null = null;
  readonly reports: ToolReports;
  #controller: AbortController | null = null;
  #reason: WorkError | null = null;
  #onAbort: (reason: WorkError) => void = ignored;

  constructor(
    { id, tenantId, loaded, identity: { startedBy, labels } }: CachedExecution,
    run: Run,
    { node, activation, attempt, item }: Visit,
    reports: ToolReports,
    traceparent: string | undefined,
  ) {
    this.reports = reports;
    this.executionId = id;
    this.tenantId = tenantId;
    this.loaded = loaded;
    this.startedBy = startedBy;
    this.traceparent = traceparent;
    this.labels = labels;
    this.seq = run.seq;
    this.thread = callingThread(loaded, run, node) ?? startThreadIn(labels);
    this.node = node;
    this.activation = activation;
    this.attempt = attempt;
    this.item = item;
  }

  /** Without what else the task knows. */
  get visit(): Visit {
    const { node, activation, attempt, item } = this;
    return { node, activation, attempt, item };
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
    return new TaskContext(this);
  }

  reportUsage(usage: ReportedUsage): void {
    this.usage ??= new UsageMeter();
    this.usage.add(usage);
  }

  /** Rejects once the attempt is over. */
  async heartbeat(): Promise<void> {
    if (this.#reason !== null) throw this.#reason;
  }

  abort(reason: WorkError): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#onAbort(reason);
  }

  failUnhandled(error: WorkError): boolean {
    if (this.#reason !== null || this.#onAbort === ignored) return false;
    this.abort(error);
    return true;
  }

  /**
   * Calls one of the functions, once and not before it returns: with the result of the work, or with its error or the reason for
   * which the task was aborted, whichever comes first.
   */
  whenSettled(work: Promise<WorkResult>, onResult: (result: WorkResult) => void, onError: (error: unknown) => void): void {
    let isSettled = false;
    const settle = (): boolean => {
      if (isSettled) return false;
      isSettled = true;
      // A parked function keeps the task, and would keep what the attempt began with.
      this.#onAbort = ignored;
      return true;
    };
    const fail = (error: unknown): void => {
      if (settle()) onError(error);
    };
    this.#onAbort = (reason) => queueMicrotask(() => fail(reason));
    if (this.#reason !== null) this.#onAbort(this.#reason);
    work.then((result) => {
      if (settle()) onResult(result);
    }, fail);
  }

  is({ node, activation, attempt, item }: Visit): boolean {
    return this.node === node && this.activation === activation && this.attempt === attempt && this.item === item;
  }
}

function ignored(): void {}

/** The agent has put it into its conversation, for the tools that it calls. */
function callingThread({ program }: LoadedWorkflow, run: Run, node: string): string | null {
  const call = program.tables.modelCalls.get(node);
  if (call === undefined) return null;
  const conversation = stateOf(run)[call.key];
  return isObject(conversation) && typeof conversation.thread === 'string' ? conversation.thread : null;
}

/** What the executor of a task is told. Labels, memory, log and signal are made when they are read. */
class TaskContext implements WorkContext {
  readonly tenantId: string;
  readonly executionId: string;
  readonly nodeId: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly startedBy: Starter;
  declare readonly traceparent?: string;
  declare readonly labels: Readonly<Record<string, string>>;
  declare readonly memory: ToolMemory;
  declare readonly thread?: ToolThread;
  declare readonly log: ToolLog;
  declare readonly signal: AbortSignal;
  readonly #task: ActivityTask;
  readonly reportUsage = (usage: ReportedUsage): void => this.#task.reportUsage(usage);
  readonly progress = (progress: number | string): void => this.#task.reports.progress(this.#task, progress);
  readonly heartbeat = (): Promise<void> => this.#task.heartbeat();

  constructor(task: ActivityTask) {
    const { executionId, tenantId, startedBy, node, attempt, traceparent } = task;
    this.#task = task;
    this.tenantId = tenantId;
    this.executionId = executionId;
    this.nodeId = node;
    this.attempt = attempt;
    this.idempotencyKey = idempotencyKeyOf(task);
    this.startedBy = startedBy;
    if (traceparent !== undefined) this.traceparent = traceparent;
    if (task.thread !== null) Object.defineProperty(this, 'thread', TaskContext.#thread);
    // Own properties, so that a copy of the context has them. Getters in a literal would be new functions for every task.
    Object.defineProperty(this, 'labels', TaskContext.#labels);
    Object.defineProperty(this, 'memory', TaskContext.#memory);
    Object.defineProperty(this, 'log', TaskContext.#log);
    Object.defineProperty(this, 'signal', TaskContext.#signal);
  }

  /** On the prototype: it is for executors, and tools do not see it. */
  meter(used: () => Usage | null): () => void {
    this.#task.used = used;
    return () => {
      this.#task.used = null;
    };
  }

  /** On the prototype, like `meter`. */
  logUsage(usage: Usage): Promise<void> {
    return this.#task.reports.used(this.#task, usage);
  }

  /** On the prototype, like `meter`. */
  isPersonal(text: string): boolean {
    const { redactor } = this.#task;
    return redactor !== null && redactor.text(text) !== text;
  }

  /** On the prototype, like `meter`. */
  async beginTurn(thread: Json, window: ThreadWindow): Promise<ThreadReading> {
    const task = this.#task;
    const { reading, leave } = await task.loaded.beginTurn(task, thread, window);
    task.onEnd = leave;
    return reading;
  }

  static readonly #labels: PropertyDescriptor = {
    enumerable: true,
    get(this: TaskContext) {
      return JSON.parse(this.#task.labels);
    },
  };

  static readonly #memory: PropertyDescriptor = {
    enumerable: true,
    get(this: TaskContext) {
      return this.#task.loaded.memoryFor(this);
    },
  };

  static readonly #thread: PropertyDescriptor = {
    enumerable: true,
    get(this: TaskContext) {
      const { loaded, thread } = this.#task;
      return thread === null ? undefined : loaded.threadFor(this, thread);
    },
  };

  static readonly #log: PropertyDescriptor = {
    enumerable: true,
    get(this: TaskContext) {
      const task = this.#task;
      return toolLog((level, message, fields) => task.reports.log(task, level, message, fields));
    },
  };

  static readonly #signal: PropertyDescriptor = {
    enumerable: true,
    get(this: TaskContext) {
      return this.#task.signal;
    },
  };
}
