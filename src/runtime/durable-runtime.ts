import type { LRUCache } from 'lru-cache';
import type { StoreErrorCode } from '../../store/port/errors.ts';
import type { ExecutionStore } from '../../store/port/execution-store.ts';
import type { ControlChange } from '../../store/port/notifications.ts';
import type { ExternalWork } from './activities/external/external-work.ts';
import type { ActivityPool } from './activities/local/activity-pool.ts';
import type { Clock } from './clock.ts';
import type { ClockSkewMonitor } from './cluster/clock-skew.ts';
import { Admission } from './commands/admission.ts';
import { assertStorable, requestTexts } from './commands/storable-text.ts';
import type { Engine } from './engine/engine.ts';
import type { CorruptExecutions } from './engine/loading/corrupt-executions.ts';
import type { CachedExecution } from './engine/loading/execution-cache.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { HistoryAtSequence } from './history/at-sequence.ts';
import type { Forker } from './history/fork/fork.ts';
import type { Snapshots } from './history/snapshots.ts';
import type { Ids } from './ids.ts';
import type { Intake } from './intake.ts';
import type { Interventions } from './interventions.ts';
import type { Lifecycle } from './lifecycle.ts';
import { DEFAULT_GRACE_MS } from './options.ts';
import { storedFilter } from './queries/list-filter.ts';
import type { Queries } from './queries/queries.ts';
import { summaryOf } from './queries/views.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { Subscribers } from './subscribers.ts';
import type { Caller } from './types/caller.ts';
import type { CommitNotification, Runtime } from './types/runtime.ts';
import type { InProcessView } from './types/work.ts';

/** Who does what is asked of a runtime. */
export interface Parts {
  readonly id: string;
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly hot: LRUCache<string, CachedExecution>;
  readonly listeners: Subscribers;
  readonly loop: Engine;
  readonly quotas: Quotas;
  readonly reads: Queries;
  readonly intake: Intake;
  readonly interventions: Interventions;
  readonly points: HistoryAtSequence;
  readonly snapshots: Snapshots;
  readonly forks: Forker;
  readonly dispatch: ActivityPool;
  readonly external: ExternalWork;
  readonly sightings: Heartbeats;
  readonly clockWatch: ClockSkewMonitor;
  readonly corrupt: CorruptExecutions;
  readonly lifetime: Lifecycle;
  /** Messages and attempts that may wait. */
  readonly maxPending: number;
}

/** What a runtime offers: each request is let in, or refused, and goes to the part that answers it. `create-runtime.ts` puts the parts together. */
export class DurableRuntime implements Runtime {
  readonly id: string;
  readonly tenants: Quotas;
  readonly #parts: Parts;
  readonly #admission: Admission;

  constructor(parts: Parts) {
    this.id = parts.id;
    this.tenants = parts.quotas;
    this.#parts = parts;
    this.#admission = new Admission({
      maxPending: parts.maxPending,
      stopped: () => parts.lifetime.stopped,
      pending: () => parts.loop.pending,
      attempts: (tenantId) => parts.dispatch.sizeOf(tenantId),
    });
  }

  get storeFault(): StoreErrorCode | null {
    return this.#parts.sightings.fault;
  }

  get clockAheadMs(): number {
    return this.#parts.clockWatch.aheadMs;
  }

  get corruptExecutions(): number {
    return this.#parts.corrupt.count;
  }

  // ---- workflows and executions

  async register(caller: Caller, document: unknown): ReturnType<Runtime['register']> {
    return this.#admission.run(caller.tenantId, () => this.#parts.intake.register(caller, document));
  }

  async start(...[caller, request]: Parameters<Runtime['start']>): ReturnType<Runtime['start']> {
    assertStorable(requestTexts.start(request));
    return this.#admission.run(caller.tenantId, () => this.#parts.intake.start(caller, request));
  }

  async cancel(...[caller, id, reason]: Parameters<Runtime['cancel']>): Promise<void> {
    this.#admission.assertOpen();
    assertStorable({ names: { reason } });
    return this.#parts.intake.cancel(caller, id, reason ?? 'user request');
  }

  async approve(...[caller, id, decision]: Parameters<Runtime['approve']>): ReturnType<Runtime['approve']> {
    assertStorable(requestTexts.decision(decision));
    const decide = (): ReturnType<Runtime['approve']> => this.#parts.intake.approve(caller, id, decision);
    if (decision.decision !== 'rejected') return this.#admission.run(caller.tenantId, decide);
    this.#admission.assertOpen();
    return decide();
  }

  async sendEvent(...[caller, id, event]: Parameters<Runtime['sendEvent']>): ReturnType<Runtime['sendEvent']> {
    assertStorable(requestTexts.event(event));
    return this.#admission.run(caller.tenantId, () => this.#parts.intake.sendEvent(caller, id, event));
  }

  async pause(...[caller, id, reason]: Parameters<Runtime['pause']>): Promise<void> {
    this.#admission.assertOpen();
    assertStorable({ names: { reason } });
    return this.#parts.interventions.pause(caller, id, reason ?? null);
  }

  async resume(...[caller, id, budgets]: Parameters<Runtime['resume']>): Promise<void> {
    return this.#admission.run(caller.tenantId, () => this.#parts.interventions.resume(caller, id, budgets ?? null));
  }

  async retry(caller: Caller, id: string): ReturnType<Runtime['retry']> {
    return this.#admission.run(caller.tenantId, () => this.#parts.interventions.retry(caller, id));
  }

  async fork(...[caller, id, request]: Parameters<Runtime['fork']>): ReturnType<Runtime['fork']> {
    assertStorable(requestTexts.fork(request));
    return this.#admission.run(caller.tenantId, () => this.#parts.forks.fork(caller, id, request));
  }

  // ---- what can be looked at

  execution(tenantId: string, id: string): ReturnType<Runtime['execution']> {
    return this.#parts.reads.execution(tenantId, id);
  }

  async executions(...[tenantId, request]: Parameters<Runtime['executions']>): ReturnType<Runtime['executions']> {
    const { rows, next } = await this.#parts.store.tenant(tenantId).executions({ ...request, ...storedFilter(request) });
    return { executions: rows.map(summaryOf), next };
  }

  idWatermark(): string {
    return this.#parts.ids.watermark(this.#parts.clock.nowMs());
  }

  settled(...[tenantId, id, waitMs, signal]: Parameters<Runtime['settled']>): ReturnType<Runtime['settled']> {
    return this.#parts.reads.settled(tenantId, id, waitMs, signal);
  }

  events(...[tenantId, id, page]: Parameters<Runtime['events']>): ReturnType<Runtime['events']> {
    return this.#parts.reads.events(tenantId, id, page);
  }

  subscribe(...[tenantId, id, options]: Parameters<Runtime['subscribe']>): ReturnType<Runtime['subscribe']> {
    return this.#parts.reads.subscribe(tenantId, id, options);
  }

  approvals(tenantId: string, id: string): ReturnType<Runtime['approvals']> {
    return this.#parts.reads.approvals(tenantId, id);
  }

  stateAt(...[tenantId, id, sequence, signal]: Parameters<Runtime['stateAt']>): ReturnType<Runtime['stateAt']> {
    return this.#parts.points.stateAt(tenantId, id, sequence, signal);
  }

  snapshots(...[tenantId, id, page, signal]: Parameters<Runtime['snapshots']>): ReturnType<Runtime['snapshots']> {
    return this.#parts.snapshots.page(tenantId, id, page, signal);
  }

  replay(tenantId: string, id: string, signal?: AbortSignal): ReturnType<Runtime['replay']> {
    return this.#parts.points.replay(tenantId, id, signal);
  }

  // ---- workers

  async claim(...[caller, claim]: Parameters<Runtime['claim']>): ReturnType<Runtime['claim']> {
    this.#admission.admit(caller.tenantId);
    assertStorable({ names: { worker_id: claim.workerId } });
    const { external, sightings, lifetime } = this.#parts;
    const items = await external.claim(caller, claim, () => lifetime.stopped);
    sightings.recordWorker(caller, claim, items.length);
    return items;
  }

  async complete(...[caller, id, result]: Parameters<Runtime['complete']>): Promise<void> {
    this.#admission.assertOpen();
    assertStorable({ values: { output: result.output, state_patch: result.statePatch } });
    return this.#parts.external.complete(caller, id, result);
  }

  async fail(...[caller, id, failure]: Parameters<Runtime['fail']>): Promise<void> {
    this.#admission.assertOpen();
    return this.#parts.external.fail(caller, id, failure);
  }

  async heartbeat(...[caller, id, lease]: Parameters<Runtime['heartbeat']>): ReturnType<Runtime['heartbeat']> {
    this.#admission.assertOpen();
    return this.#parts.external.heartbeat(caller, id, lease);
  }

  async enqueue(...[caller, item]: Parameters<Runtime['enqueue']>): ReturnType<Runtime['enqueue']> {
    assertStorable({ values: { payload: item.payload } });
    return this.#admission.run(caller.tenantId, async () => {
      await this.#parts.reads.find(caller.tenantId, item.executionId);
      return this.#parts.external.enqueue(caller, item);
    });
  }

  workers(tenantId: string): ReturnType<Runtime['workers']> {
    return this.#parts.sightings.workers(tenantId);
  }

  inProcess(tenantId?: string): InProcessView {
    const { running, waiting, oldestSinceMs } = this.#parts.dispatch.usage(tenantId);
    return { running, waiting, oldest_waiting_since_ms: oldestSinceMs };
  }

  // ---- the process around it

  onCommit(told: (note: CommitNotification | null) => void): () => void {
    return this.#parts.listeners.onCommit(told);
  }

  onControl(told: (change: ControlChange | null) => void): () => void {
    return this.#parts.listeners.onControl(told);
  }

  forget(executionIds: readonly string[]): void {
    for (const id of executionIds) this.#parts.hot.delete(id);
  }

  close(graceMs: number = DEFAULT_GRACE_MS): Promise<void> {
    return this.#parts.lifetime.close(graceMs);
  }
}
