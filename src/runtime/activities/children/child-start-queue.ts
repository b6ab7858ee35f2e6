import type { Visit } from '../../../../machines/messages.ts';
import type { Run } from '../../../../machines/run.ts';
import { activeVisitOf, hasChild } from '../../../../machines/step/index.ts';
import { ChurnMap } from '../../../../store/churn-map.ts';
import type { RuntimeContext } from '../../context.ts';
import type { Deliver } from '../../engine/deliver.ts';
import type { Engine } from '../../engine/engine.ts';
import type { CachedExecution } from '../../engine/loading/cached-execution.ts';
import type { ExecutionLoader } from '../../engine/loading/execution-loader.ts';
import type { Quotas } from '../../quotas/quotas.ts';
import { retryForever } from '../../retry-forever.ts';
import { DeadlineTimer } from '../../timers/deadline-timer.ts';
import { Slots } from '../local/slots.ts';
import type { StartedAttempts } from '../local/started-attempts.ts';
import type { Children } from './children.ts';

/** Children of one tenant that are started at the same time: a fan-out of thousands must not keep others waiting. */
const STARTING_PER_TENANT = 32;

interface ChildStart {
  readonly parent: CachedExecution;
  readonly visit: Visit;
  /** The sequence of the run that asked for the child. */
  readonly seq: number;
  /** Why it waits; null = it does not. */
  waitReason: string | null;
  sinceMs: number;
  isCancelled: boolean;
}

export interface ChildStartQueueOptions extends Pick<RuntimeContext, 'clock' | 'events' | 'stopping' | 'actor' | 'onError'> {
  readonly engine: Engine;
  readonly deliver: Deliver;
  readonly loader: ExecutionLoader;
  readonly quotas: Quotas;
  readonly started: StartedAttempts;
  readonly children: Children;
  /** How long a child may wait for capacity. */
  readonly maxWaitMs: number;
}

/**
 * Starts children in turn: tenants in turn, and the parents of a tenant in turn. A child waits while its tenant has as many live
 * executions as it may have. The first child of a parent needs no capacity: its parent only waits for it, so parents that use up
 * the whole capacity cannot wait for each other forever.
 */
export class ChildStartQueue {
  readonly #options: ChildStartQueueOptions;
  readonly #slots: Slots<ChildStart>;
  readonly #timer: DeadlineTimer;
  /** All starts, by parent and visit. */
  readonly #starts = new ChurnMap<string, ChildStart>();
  /** Starts that wait for capacity, by tenant and parent, in order of arrival. */
  readonly #waiting = new ChurnMap<string, Map<string, Set<ChildStart>>>();
  /** How many children of a parent are being committed. */
  readonly #spawning = new ChurnMap<string, number>();
  /** Counts events that may have freed capacity: a check that began before one may be outdated. */
  #capacityVersion = 0;

  constructor(options: ChildStartQueueOptions) {
    this.#options = options;
    this.#slots = new Slots(STARTING_PER_TENANT, (tenantId) => options.quotas.isKnownActive(tenantId));
    this.#timer = new DeadlineTimer(options.clock, () => this.#expire());
    options.stopping.addEventListener('abort', () => this.#timer.stop(), { once: true });
    options.events.on('tenantReactivated', (tenantId) => this.#reopen(tenantId));
    options.events.on('capacityFreed', (tenantId) => {
      for (const each of tenantId === null ? [...this.#waiting.keys()] : [tenantId]) this.#onCapacityFreed(each);
    });
  }

  /** Starts a child that the parent's run asks for, unless it was started already. */
  startOnce(parent: CachedExecution, run: Run, { node, activation, attempt, item }: Visit): void {
    const visit = { node, activation, attempt, item };
    if (this.#options.started.add(parent.id, visit, run.seq)) this.#enqueue(parent, visit, run.seq);
  }

  #enqueue(parent: CachedExecution, visit: Visit, seq: number): void {
    const before = this.#starts.get(keyOf(parent.id, visit));
    if (before !== undefined) this.#cancel(before);
    const start: ChildStart = { parent, visit, seq, waitReason: null, sinceMs: 0, isCancelled: false };
    this.#starts.set(keyOf(parent.id, visit), start);
    this.#slots.wait(parent.tenantId, parent.id, start);
    this.#fill();
  }

  /**
   * The step that led to `seq` abandoned the visit. A start that this step or a later one asked for stays. A later run may ask for the same start
   * again: a suspended execution is resumed, perhaps by another runtime.
   */
  abandon(parentId: string, visit: Omit<Visit, 'attempt'>, seq: number): void {
    const start = this.#starts.get(keyOf(parentId, visit));
    if (start === undefined || start.seq >= seq) return;
    this.#cancel(start);
    this.#options.started.refused(parentId, start.visit, seq);
  }

  /** The parent has moved on, here or elsewhere: without a child, it may start one whatever the capacity. */
  movedOn(parent: CachedExecution): void {
    if (this.#starts.size === 0 || this.#hasChild(parent)) return;
    this.#capacityVersion += 1;
    const start = this.#firstOf(parent.tenantId, parent.id);
    if (start !== null) this.#requeue(start);
  }

  /** The tenant is active again. The waiting time of its children starts anew. */
  #reopen(tenantId: string): void {
    const { clock, maxWaitMs } = this.#options;
    const nowMs = clock.nowMs();
    this.#slots.reopen(tenantId);
    for (const siblings of this.#waiting.get(tenantId)?.values() ?? []) for (const start of siblings) start.sinceMs = nowMs;
    this.#timer.scheduleAt(nowMs + maxWaitMs);
    this.#onCapacityFreed(tenantId);
    this.#fill();
  }

  /** An execution of the tenant has ended, or its limit was changed. */
  #onCapacityFreed(tenantId: string): void {
    this.#capacityVersion += 1;
    for (const parentId of [...(this.#waiting.get(tenantId)?.keys() ?? [])]) {
      const start = this.#firstOf(tenantId, parentId);
      if (start === null) continue;
      this.#requeue(start);
      // One at a time, parents in turn: the next is tried once this one has found capacity.
      return;
    }
  }

  #cancel(start: ChildStart): void {
    const { parent, visit } = start;
    start.isCancelled = true;
    this.#starts.delete(keyOf(parent.id, visit));
    this.#slots.leave(parent.tenantId, parent.id, start);
    this.#leave(start);
  }

  #firstOf(tenantId: string, parentId: string): ChildStart | null {
    const [first] = this.#waiting.get(tenantId)?.get(parentId) ?? [];
    return first ?? null;
  }

  #leave(start: ChildStart): void {
    const { tenantId, id } = start.parent;
    const parents = this.#waiting.get(tenantId);
    const siblings = parents?.get(id);
    if (siblings?.delete(start) !== true) return;
    parents?.delete(id);
    // The next child of this parent has its turn after the other parents.
    if (siblings.size > 0) parents?.set(id, siblings);
    else if (parents?.size === 0) this.#waiting.delete(tenantId);
  }

  #requeue(start: ChildStart): void {
    this.#leave(start);
    this.#slots.wait(start.parent.tenantId, start.parent.id, start);
    this.#fill();
  }

  #fill(): void {
    for (let next = this.#slots.next(); next !== null; next = this.#slots.next()) void this.#start(next);
  }

  async #start(start: ChildStart): Promise<void> {
    const { tenantId, id } = start.parent;
    let waits = false;
    const versionBefore = this.#capacityVersion;
    try {
      waits = (await retryForever(this.#options, () => this.#tryOnce(start))) === false && !start.isCancelled;
    } finally {
      this.#slots.free(tenantId, id);
      if (!waits) {
        this.#cancel(start);
        // Where this start found capacity, there may be more.
        this.#onCapacityFreed(tenantId);
      } else if (versionBefore === this.#capacityVersion) this.#wait(start);
      else this.#slots.wait(tenantId, id, start);
      this.#fill();
    }
  }

  /** False = it has to wait for capacity. */
  async #tryOnce(start: ChildStart): Promise<boolean> {
    const { engine, children, loader, quotas, clock, actor, started } = this.#options;
    const { visit } = start;
    const { tenantId, id } = start.parent;
    const key = keyOf(id, visit);
    const waitReason = start.isCancelled ? null : await quotas.admitChild(tenantId, key);
    try {
      const parent = waitReason === null && start.waitReason === null ? start.parent : await loader.current(id);
      if (start.isCancelled || parent === null) return true;
      if (!isWanted(parent, visit)) {
        started.refused(id, visit, parent.run.seq);
        return true;
      }
      if (waitReason === null || !this.#hasChild(parent)) {
        await this.#countSpawning(id, () => children.spawn(parent, visit));
        return true;
      }
    } finally {
      if (waitReason === null) quotas.release(tenantId, key);
    }
    if (start.waitReason === null) {
      start.sinceMs = clock.nowMs();
      // The parent's log says that the child waits.
      const waiting = { childId: '', childWorkflowId: '', change: { status: 'waiting' } } as const;
      await engine.send(id, { type: 'child', ...visit, ...waiting }, { actor });
    }
    start.waitReason = waitReason;
    return false;
  }

  async #countSpawning(parentId: string, spawn: () => Promise<unknown>): Promise<void> {
    this.#spawning.set(parentId, (this.#spawning.get(parentId) ?? 0) + 1);
    try {
      await spawn();
    } finally {
      const left = (this.#spawning.get(parentId) ?? 1) - 1;
      if (left === 0) this.#spawning.delete(parentId);
      else this.#spawning.set(parentId, left);
    }
  }

  #hasChild(parent: CachedExecution): boolean {
    return this.#spawning.has(parent.id) || hasChild(parent.run);
  }

  #wait(start: ChildStart): void {
    const { tenantId, id } = start.parent;
    const parents = this.#waiting.get(tenantId) ?? new Map<string, Set<ChildStart>>();
    this.#waiting.set(tenantId, parents);
    const siblings = parents.get(id) ?? new Set();
    parents.set(id, siblings.add(start));
    this.#timer.scheduleAt(start.sinceMs + this.#options.maxWaitMs);
  }

  /** Fails the nodes whose child has waited for too long. */
  #expire(): void {
    const { clock, maxWaitMs, quotas, deliver } = this.#options;
    const nowMs = clock.nowMs();
    for (const [tenantId, parents] of [...this.#waiting]) {
      if (!quotas.isKnownActive(tenantId)) continue;
      for (const start of [...parents.values()].flatMap((siblings) => [...siblings])) {
        const atMs = start.sinceMs + maxWaitMs;
        if (atMs > nowMs) this.#timer.scheduleAt(atMs);
        else {
          this.#cancel(start);
          const error = `its child waited ${maxWaitMs / 1000} s for capacity: ${start.waitReason}`;
          void deliver(start.parent.id, { type: 'fail', ...start.visit, error, retryable: true, unbegun: true });
        }
      }
    }
  }
}

function keyOf(parentId: string, { node, activation, item }: Omit<Visit, 'attempt'>): string {
  return `${parentId}\n${node}\n${activation}${item === undefined ? '' : `\n${item}`}`;
}

function isWanted({ run }: CachedExecution, { node, activation, attempt, item }: Visit): boolean {
  const now = activeVisitOf(run, node, item);
  if (now === null || now.activation !== activation || now.attempt !== attempt) return false;
  return now.phase === 'running' || now.phase === 'queued';
}
