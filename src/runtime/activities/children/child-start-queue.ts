import type { Visit } from '../../../../machines/messages.ts';
import { activeVisitOf, hasChild } from '../../../../machines/step/index.ts';
import type { Clock } from '../../clock.ts';
import type { CachedExecution } from '../../engine/loading/execution-cache.ts';
import { DeadlineTimer } from '../../timers/deadline-timer.ts';
import { Slots } from '../local/slots.ts';

/** Children of one tenant that are being started at the same time: a fan-out of thousands must not keep others waiting. */
const STARTING_PER_TENANT = 32;

/** A child to start. */
interface ChildStart {
  readonly parent: CachedExecution;
  readonly visit: Visit;
  /** The sequence of the run that it was begun from. */
  readonly seq: number;
  /** Why it waits; null = it does not. */
  waitReason: string | null;
  sinceMs: number;
  dropped: boolean;
}

export interface ChildStartQueueOptions {
  readonly clock: Clock;
  /** How long a child may wait for room. */
  readonly maxWaitMs: number;
  /** May children of the tenant start? */
  readonly isOpen: (tenantId: string) => boolean;
  /** Takes a place among the live executions of the tenant, under the name of the start. Null = taken; else how full it is. */
  readonly admit: (tenantId: string, name: string) => Promise<string | null>;
  /** The place is taken by the child now, or needed no more. */
  readonly release: (tenantId: string, name: string) => void;
  /** The execution as it is now; null = it is gone. */
  readonly read: (executionId: string) => Promise<CachedExecution | null>;
  /** Starts the child; resolves once it has started, or its node has failed, or the runtime stops. */
  readonly spawn: (parent: CachedExecution, visit: Visit) => Promise<unknown>;
  /** Says in the parent's log that the child waits. */
  readonly waits: (parentId: string, visit: Visit) => Promise<unknown>;
  /** Fails the parent's node: there was no room in time. */
  readonly expired: (parentId: string, visit: Visit, error: string) => void;
  readonly insist: <T>(attempt: () => Promise<T>) => Promise<T | null>;
}

/**
 * Starts children in turn: of tenants, and of the parents of a tenant. One that finds no room among the tenant's live executions
 * waits for it. The first child of a parent needs none: it takes the place of the parent, which only waits for it, so that parents that
 * hold all the places do not wait for each other for ever.
 */
export class ChildStartQueue {
  readonly #options: ChildStartQueueOptions;
  readonly #slots: Slots<ChildStart>;
  readonly #timer: DeadlineTimer;
  /** All of them, by parent and visit. */
  readonly #starts = new Map<string, ChildStart>();
  /** Those that wait for room: by tenant, and parent, in the order in which they came. */
  readonly #waiting = new Map<string, Map<string, Set<ChildStart>>>();
  /** Children whose start is being committed, by parent. */
  readonly #spawning = new Map<string, number>();
  /** Counts what may have made room: what looked before does not know it. */
  #capacityVersion = 0;

  constructor(options: ChildStartQueueOptions) {
    this.#options = options;
    this.#slots = new Slots(STARTING_PER_TENANT, options.isOpen);
    this.#timer = new DeadlineTimer(options.clock, () => this.#expire());
  }

  stop(): void {
    this.#timer.stop();
  }

  enqueue(parent: CachedExecution, visit: Visit, seq: number): void {
    const before = this.#starts.get(keyOf(parent.id, visit));
    if (before !== undefined) this.#cancel(before);
    const start: ChildStart = { parent, visit, seq, waitReason: null, sinceMs: 0, dropped: false };
    this.#starts.set(keyOf(parent.id, visit), start);
    this.#slots.wait(parent.tenantId, parent.id, start);
    this.#fill();
  }

  /** The step that led to `seq` gave up the visit's attempt. A start from that step or a later one stays. */
  abandon(parentId: string, visit: Pick<Visit, 'node' | 'activation'>, seq: number): void {
    const start = this.#starts.get(keyOf(parentId, visit));
    if (start !== undefined && start.seq < seq) this.#cancel(start);
  }

  /** Told of every commit: a parent without a child may start one whatever room there is. */
  onCommitted(now: CachedExecution): void {
    if (this.#starts.size === 0 || this.#hasChild(now)) return;
    this.#capacityVersion += 1;
    const start = this.#firstOf(now.tenantId, now.id);
    if (start !== null) this.#requeue(start);
  }

  /** The tenant is active again. Its time begins anew. */
  reopen(tenantId: string): void {
    const { clock, maxWaitMs } = this.#options;
    const nowMs = clock.nowMs();
    this.#slots.reopen(tenantId);
    for (const siblings of this.#waiting.get(tenantId)?.values() ?? []) for (const start of siblings) start.sinceMs = nowMs;
    this.#timer.scheduleAt(nowMs + maxWaitMs);
    this.onCapacityFreed(tenantId);
    this.#fill();
  }

  /** An execution of the tenant has ended, or its limit was changed. */
  onCapacityFreed(tenantId: string): void {
    this.#capacityVersion += 1;
    for (const parentId of [...(this.#waiting.get(tenantId)?.keys() ?? [])]) {
      const start = this.#firstOf(tenantId, parentId);
      if (start === null) continue;
      this.#requeue(start);
      // One after the other, each parent in its turn: the next is asked for when this one has found room.
      return;
    }
  }

  /** Any limit may have been changed. */
  onCapacityFreedEverywhere(): void {
    for (const tenantId of [...this.#waiting.keys()]) this.onCapacityFreed(tenantId);
  }

  #cancel(start: ChildStart): void {
    const { parent, visit } = start;
    start.dropped = true;
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
    // The next of this parent has its turn after the other parents.
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
    const newsBefore = this.#capacityVersion;
    try {
      waits = (await this.#options.insist(() => this.#tryOnce(start))) === false && !start.dropped;
    } finally {
      this.#slots.free(tenantId, id);
      if (!waits) {
        this.#cancel(start);
        // Where this one found room, there may be more.
        this.onCapacityFreed(tenantId);
      } else if (newsBefore === this.#capacityVersion) this.#wait(start);
      else this.#slots.wait(tenantId, id, start);
      this.#fill();
    }
  }

  /** False = it has to wait. */
  async #tryOnce(start: ChildStart): Promise<boolean> {
    const { spawn, waits, read, admit, release, clock } = this.#options;
    const { visit } = start;
    const { tenantId, id } = start.parent;
    const name = keyOf(id, visit);
    const full = start.dropped ? null : await admit(tenantId, name);
    try {
      const parent = full === null && start.waitReason === null ? start.parent : await read(id);
      if (start.dropped || parent === null || !isWanted(parent, visit)) return true;
      if (full === null || !this.#hasChild(parent)) {
        await this.#countSpawning(id, () => spawn(parent, visit));
        return true;
      }
    } finally {
      if (full === null) release(tenantId, name);
    }
    if (start.waitReason === null) {
      start.sinceMs = clock.nowMs();
      await waits(id, visit);
    }
    start.waitReason = full;
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

  #expire(): void {
    const { clock, maxWaitMs, isOpen, expired } = this.#options;
    const nowMs = clock.nowMs();
    for (const [tenantId, parents] of [...this.#waiting]) {
      if (!isOpen(tenantId)) continue;
      for (const start of [...parents.values()].flatMap((siblings) => [...siblings])) {
        const atMs = start.sinceMs + maxWaitMs;
        if (atMs > nowMs) this.#timer.scheduleAt(atMs);
        else {
          this.#cancel(start);
          expired(start.parent.id, start.visit, `its child waited ${maxWaitMs / 1000} s for room: ${start.waitReason}`);
        }
      }
    }
  }
}

function keyOf(parentId: string, { node, activation }: Pick<Visit, 'node' | 'activation'>): string {
  return `${parentId}\n${node}\n${activation}`;
}

function isWanted({ run }: CachedExecution, { node, activation, attempt }: Visit): boolean {
  const now = activeVisitOf(run, node);
  if (now === null || now.activation !== activation || now.attempt !== attempt) return false;
  return now.phase === 'running' || now.phase === 'queued';
}
