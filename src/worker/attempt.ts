import type { Json, JsonObject } from '../../machines/json.ts';
import type { Usage } from '../../machines/messages.ts';
import type { WorkItem } from '../api/operations/work-items.ts';
import type { JamjetClient } from '../client/index.ts';
import { type AttemptCode, withinAttempt } from '../executors/attempt-code.ts';
import type { DurableCode } from '../executors/durable/index.ts';
import type { LiveFunctions } from '../executors/durable/live-functions.ts';
import { WorkError } from '../executors/executor.ts';
import { asToolFailure } from '../executors/failure.ts';
import { toJson } from '../executors/to-json.ts';
import { nextProgress, type Progress } from '../executors/tool-context/progress.ts';
import { type ToolLog, toolLog } from '../executors/tool-context/tool-log.ts';
import { UsageMeter } from '../executors/tool-context/usage-meter.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ToolContext, Tools } from '../runtime/types/work.ts';
import { LEASE_MS, Lease } from './lease.ts';
import { memoryOf } from './memory.ts';
import type { WorkerSettings } from './options.ts';
import { isLostLease, isTransient } from './server-errors.ts';

export interface AttemptOptions {
  readonly client: JamjetClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: Pick<WorkerSettings, 'id' | 'tools' | 'onLog'>;
  /** Durable functions that are parked here. */
  readonly live: LiveFunctions;
}

/** What is sent of an attempt that has ended. */
type Report = { readonly output: Json } | { readonly failure: WorkError; readonly isInterrupted?: true };

/** A claimed item: calls its tool under a lease, and reports the outcome. */
export class Attempt implements AttemptCode {
  readonly #options: AttemptOptions;
  readonly #item: WorkItem;
  readonly #controller = new AbortController();
  readonly #usage = new UsageMeter();
  readonly #lease: Lease;
  readonly #log: ToolLog;
  readonly #startedAtMs: number;
  #progress: Progress | null = null;
  #handedBack: Promise<void> | null = null;
  /** Ends the call of the tool; null = it is not in progress. */
  #failCall: ((error: WorkError) => void) | null = null;

  constructor(options: AttemptOptions, item: WorkItem) {
    this.#options = options;
    this.#item = item;
    const { client, clock, random, settings } = options;
    this.#startedAtMs = clock.nowMs();
    const { execution_id: execution, node_id: node, attempt, tenant_id: tenant } = item;
    this.#log = toolLog((level, message, fields) =>
      settings.onLog({ level, message, fields: { ...fields, execution, node, attempt, tenant, worker: settings.id } }),
    );
    this.#lease = new Lease({
      client,
      clock,
      random,
      itemId: item.id,
      workerId: settings.id,
      fence: item.lease_fence,
      onLost: (reason) => {
        this.#log.warn(reason.message);
        this.#controller.abort(reason);
      },
    });
  }

  /** Resolves when the tool has returned and the outcome was reported, or does not count any more. Never rejects. */
  async run(): Promise<void> {
    const cancelDeadline = this.#abortAtDeadline();
    let report: Report | null;
    try {
      const unhandled = new Promise<never>((_, reject) => {
        this.#failCall = reject;
      });
      report = await Promise.race([withinAttempt(this, () => this.#call()), unhandled]);
    } catch (thrown) {
      report = { failure: asToolFailure(thrown) };
    }
    this.#failCall = null;
    cancelDeadline();
    if (report === null) this.#log.debug('the function waits');
    await (this.#handedBack ?? (report === null ? null : this.#send(report)));
    this.#lease.end();
  }

  get executionId(): string {
    return this.#item.execution_id;
  }

  get node(): string {
    return this.#item.node_id;
  }

  get attempt(): number {
    return this.#item.attempt;
  }

  failUnhandled(error: WorkError): boolean {
    if (this.#failCall === null || this.#controller.signal.aborted) return false;
    this.#failCall(error);
    this.#controller.abort(error);
    return true;
  }

  /** The worker stops: aborts the tool, and lets another worker try without waiting for the end of the lease. */
  handBack(): Promise<void> {
    const failure = new WorkError('the worker stopped before the tool had ended', { retryable: true });
    this.#controller.abort(failure);
    this.#handedBack ??= this.#send({ failure, isInterrupted: true }).finally(() => this.#lease.end());
    return this.#handedBack;
  }

  /** Null = nothing is to be sent: a durable function waits. */
  async #call(): Promise<Report | null> {
    const { client, clock, live, settings } = this.#options;
    const { tools, id: workerId } = settings;
    const { payload, journal } = this.#item;
    const tool = Object.hasOwn(tools, this.#item.tool) ? tools[this.#item.tool] : undefined;
    if (tool === undefined) throw unknownTool(tools, this.#item);
    if (journal !== undefined) {
      const { runFunction } = await import('./function-run.ts');
      const options = { client, clock, live, workerId, item: this.#item, lease: this.#lease };
      return runFunction(tool as unknown as DurableCode, this.#context(), journal, options);
    }
    const input = Object.hasOwn(payload, 'input') ? payload.input : payload;
    return { output: toJson(await tool(input as never, this.#context())) };
  }

  #context(): ToolContext {
    const { execution_id, node_id, tenant_id, attempt, idempotency_key, labels, started_by, traceparent } = this.#item;
    const { client } = this.#options;
    return {
      signal: this.#controller.signal,
      tenantId: tenant_id,
      executionId: execution_id,
      nodeId: node_id,
      attempt,
      idempotencyKey: idempotency_key,
      startedBy: {
        actorId: started_by.actor_id,
        actorType: started_by.actor_type as ToolContext['startedBy']['actorType'],
      },
      labels,
      ...(traceparent === undefined ? {} : { traceparent }),
      memory: memoryOf(client),
      log: this.#log,
      reportUsage: (usage) => this.#usage.add(usage),
      progress: (said) => {
        this.#progress = nextProgress(this.#progress, said);
        this.#lease.report(this.#progress);
      },
      heartbeat: async () => {
        this.#controller.signal.throwIfAborted();
        await this.#lease.renew();
      },
    };
  }

  /** Both times are the server's, whose clock may differ. The server fails the attempt at that time by itself. */
  #abortAtDeadline(): () => void {
    const { deadline_at, lease_expires_at } = this.#item;
    if (deadline_at === null) return () => {};
    const leftMs = Date.parse(deadline_at) - Date.parse(lease_expires_at) + LEASE_MS;
    return this.#options.clock.after(leftMs, () => {
      const reason = new WorkError(`timed out after ${leftMs / 1_000} s`, { retryable: true, errorClass: 'timeout' });
      this.#controller.abort(reason);
    });
  }

  async #send(report: Report): Promise<void> {
    for (let failures = 1, now = report; this.#lease.lost === null; failures += 1) {
      try {
        return await this.#sendOnce(now);
      } catch (error) {
        if (isLostLease(error)) {
          this.#log.debug('the result is not wanted any more, or was taken already');
          return;
        }
        const reason = error instanceof Error ? error.message : String(error);
        if (isTransient(error)) this.#lease.loseIfExpired(`the result could not be reported in time: ${reason}`);
        else if ('output' in now)
          now = { failure: new WorkError(`the server refused the result: ${reason}`, { retryable: false }) };
        else {
          this.#log.error('the server refused the failure of the attempt', { err: error });
          return;
        }
      }
      await this.#lease.pause(failures);
    }
  }

  async #sendOnce(report: Report): Promise<void> {
    const { client, clock, settings } = this.#options;
    const { id, execution_id, node_id, lease_fence } = this.#item;
    const proof = { lease_fence, worker_id: settings.id, ...(this.#usage.total ?? ({} as Usage)) };
    const duration_ms = clock.nowMs() - this.#startedAtMs;
    if ('output' in report) {
      await client.completeWork(id, { output: report.output, execution_id, node_id, duration_ms, ...proof });
      this.#log.debug('attempt completed', { duration_ms });
      return;
    }
    const { message, retryable, errorClass, httpStatus, details } = report.failure;
    await client.failWork(id, {
      error: message,
      retryable,
      ...(details as JsonObject | null),
      ...(errorClass === null ? {} : { error_class: errorClass }),
      ...(httpStatus === null ? {} : { http_status: httpStatus }),
      ...(report.isInterrupted === true ? { interrupted: true } : {}),
      ...proof,
    });
    this.#log.warn('attempt failed', { err: report.failure.cause ?? report.failure, retryable, duration_ms });
  }
}

/** Retried, since another worker may have it. */
function unknownTool(tools: Tools, { tool }: WorkItem): WorkError {
  const message = `this worker has no tool "${tool}"; it has ${Object.keys(tools).join(', ')}`;
  return new WorkError(message, { retryable: true, errorClass: 'unserved_tool' });
}
