import type { Run } from '../../../../machines/run.ts';
import type { WorkContext, WorkError, WorkResult } from '../../../executors/executor.ts';
import type { CachedExecution } from '../../engine/loading/execution-cache.ts';
import type { Starter } from '../../engine/loading/starter.ts';
import type { LoadedWorkflow } from '../../engine/loading/workflow-cache.ts';

export interface ActivityAttempt {
  readonly node: string;
  readonly activation: number;
  readonly attempt: number;
}

/** An in-process attempt, waiting for a slot or under way. Its AbortSignal is made when somebody asks for it: most functions never do. */
export class ActivityTask implements ActivityAttempt {
  readonly executionId: string;
  readonly tenantId: string;
  readonly loaded: LoadedWorkflow;
  readonly startedBy: Starter;
  /** JSON object text. */
  readonly labels: string;
  readonly node: string;
  readonly activation: number;
  readonly attempt: number;
  /** The execution by which it was begun or queued. */
  seq: number;
  /** Set when nobody wants the outcome any more. */
  dropped = false;
  /** The same attempt, begun anew while the start of this one was being made durable. */
  successor: ActivityTask | null = null;
  /** Since when it waits for a slot; null = it does not. */
  waitsSinceMs: number | null = null;
  #controller: AbortController | null = null;
  #reason: WorkError | null = null;
  #onAbort: (reason: WorkError) => void = () => {};

  constructor(
    { id, tenantId, loaded, startedBy, labels }: CachedExecution,
    run: Run,
    { node, activation, attempt }: ActivityAttempt,
  ) {
    this.executionId = id;
    this.tenantId = tenantId;
    this.loaded = loaded;
    this.startedBy = startedBy;
    this.labels = labels;
    this.seq = run.seq;
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
    const { executionId, tenantId, startedBy, node, activation, attempt } = task;
    return {
      tenantId,
      executionId,
      nodeId: node,
      attempt,
      idempotencyKey: `${executionId}:${node}:${activation}`,
      startedBy,
      get labels() {
        return JSON.parse(task.labels) as Readonly<Record<string, string>>;
      },
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

  is({ node, activation, attempt }: ActivityAttempt): boolean {
    return this.node === node && this.activation === activation && this.attempt === attempt;
  }
}
