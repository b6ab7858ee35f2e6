import type { Message, Visit } from '../../machines/messages.ts';
import { TERMINAL } from '../../machines/run.ts';
import type { ControlChange } from '../../store/notices.ts';
import type { Store } from '../../store/store.ts';
import { Outbound } from '../executors/outbound.ts';
import { Children } from './children.ts';
import { type Clock, systemClock } from './clock.ts';
import { Dispatch } from './dispatch.ts';
import type { Conditions, Outcome } from './envelope.ts';
import { RuntimeError } from './errors.ts';
import { ExternalWork } from './external-work.ts';
import { Feed } from './feed.ts';
import { Notices } from './fleet/notices.ts';
import { OwnWork } from './fleet/own-work.ts';
import { Peers } from './fleet/peers.ts';
import { Takeover } from './fleet/takeover.ts';
import { Forks } from './forks.ts';
import { type Hot, hotCache } from './hot.ts';
import { createIds, runtimeName } from './ids.ts';
import { insist } from './insist.ts';
import { Intake } from './intake.ts';
import { Interventions } from './interventions.ts';
import { storedFilter } from './list-filter.ts';
import { loadHot } from './load.ts';
import { Loop } from './loop.ts';
import { DEFAULT_GRACE_MS, DEFAULTS, type RuntimeOptions } from './options.ts';
import type { Origin } from './origin.ts';
import { Points } from './points.ts';
import { Programs } from './programs.ts';
import { Quotas } from './quotas/quotas.ts';
import { Reads } from './reads.ts';
import { Recovery } from './recovery.ts';
import { Sightings } from './sightings.ts';
import type { Committed } from './turn.ts';
import type { Caller, CommitNote, Runtime } from './types.ts';
import { summaryOf } from './views.ts';
import { Wakeups } from './wakeups.ts';

/**
 * Starts a runtime on a store: takes its lock, adopts what an earlier one left, and works until `close`. Until then it keeps the process alive,
 * since timers may fall due at any time. Rejects with `StoreError`; its code is `store_locked` when another runtime works on the database.
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const runtime = new DurableRuntime(options);
  await runtime.open();
  return runtime;
}

/** Longest time a runtime that stops takes to hand over what it owns. */
const HAND_OVER_MS = 5_000;

function noteOf({ before, now, write }: Committed): CommitNote {
  const began = before === null || write.revive !== undefined;
  return { tenantId: now.tenantId, executionId: now.id, began, ended: TERMINAL.has(now.run.status) };
}

function visitOf({ node, activation, attempt }: Visit): Visit {
  return { node, activation, attempt };
}

class DurableRuntime implements Runtime {
  readonly id: string;
  readonly #options: RuntimeOptions;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #origin: Origin;
  readonly #feed = new Feed();
  readonly #ids = createIds();
  readonly #hot;
  readonly #programs: Programs;
  readonly #loop: Loop;
  readonly tenants: Quotas;
  readonly #reads: Reads;
  readonly #intake: Intake;
  readonly #interventions: Interventions;
  readonly #points: Points;
  readonly #forks: Forks;
  readonly #dispatch: Dispatch;
  readonly #children: Children;
  readonly #external: ExternalWork;
  readonly #wakeups: Wakeups;
  readonly #sightings: Sightings;
  readonly #peers: Peers;
  readonly #recovery: Recovery;
  readonly #takeover: Takeover;
  readonly #ownWork: OwnWork;
  readonly #notices: Notices;
  /** Executions started here, while this runtime adopts only some. */
  readonly #own = new Set<string>();
  readonly #commitListeners = new Set<(note: CommitNote | null) => void>();
  readonly #controlListeners = new Set<(change: ControlChange | null) => void>();
  #recovering: Promise<void> = Promise.resolve();
  #deaf: () => void = () => {};
  #letProcessEnd: () => void = () => {};
  #closing: Promise<void> | null = null;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.id = options.id ?? runtimeName();
    const store = options.store;
    const clock = options.clock ?? systemClock;
    const vars = options.vars ?? {};
    const ids = this.#ids;
    const stopped = (): boolean => this.#closing !== null;
    const failed = (error: unknown): void => options.onError?.(error);
    this.#store = store;
    const outbound = new Outbound({ allowPrivateAddresses: options.allowPrivateAddresses ?? false });
    this.#clock = clock;
    this.#origin = { actorId: this.id, actorType: 'system', request: null };
    this.#hot = hotCache(options.hotBytes ?? DEFAULTS.hotBytes);
    const runtimeId = this.id;
    this.#peers = new Peers({ store, clock, runtimeId, looked: (gone) => this.#looked(gone) });
    const isMine = (executionId: string): boolean => this.#peers.isMine(executionId);
    this.#programs = new Programs(store, { tools: options.tools ?? {}, outbound });
    this.#loop = new Loop({
      store,
      programs: this.#programs,
      hot: this.#hot,
      clock,
      ids,
      runtimeId,
      ownerAfter: (id, owner) => this.#ownerAfter(id, owner),
      lookFor: (owner) => this.#peers.lookFor(owner),
      stepLimit: options.stepLimit ?? DEFAULTS.stepLimit,
      artifactThresholdBytes: options.artifactThresholdBytes ?? DEFAULTS.artifactThresholdBytes,
      vars,
      committed: (commit) => this.#committed(commit),
      uncertain: () => this.#ownWork.takeUpAll(),
    });
    this.tenants = new Quotas({ store, clock, betweenCommits: (work) => this.#loop.betweenCommits(work) });
    this.#reads = new Reads({
      store,
      clock,
      feed: this.#feed,
      hot: (id) => this.#hot.get(id),
      load: (row) => this.#load(row),
      stopped,
      failed,
    });
    this.#intake = new Intake({
      store,
      programs: this.#programs,
      loop: this.#loop,
      reads: this.#reads,
      quotas: this.tenants,
      clock,
      ids,
    });
    this.#points = new Points({ store, programs: this.#programs, reads: this.#reads });
    this.#forks = new Forks({
      store,
      programs: this.#programs,
      loop: this.#loop,
      points: this.#points,
      quotas: this.tenants,
      clock,
      ids,
    });
    this.#interventions = new Interventions({
      store,
      loop: this.#loop,
      reads: this.#reads,
      quotas: this.tenants,
      runtimeId: this.id,
      stepLimit: options.stepLimit ?? DEFAULTS.stepLimit,
    });
    this.#dispatch = new Dispatch({
      clock,
      vars,
      concurrency: options.concurrency ?? DEFAULTS.concurrency,
      report: (id, message) => void this.#deliver(id, message),
    });
    this.#children = new Children({
      store,
      programs: this.#programs,
      clock,
      ids,
      loop: this.#loop,
      vars,
      origin: this.#origin,
      read: (id) => this.#current(id),
      deliver: (id, message, conditions) => this.#deliver(id, message, conditions),
      isMine,
      insist: (attempt) => this.#insist(attempt),
      failed,
    });
    this.#wakeups = new Wakeups({
      store,
      clock,
      adopts: (id) => this.#adopts(id),
      isMine,
      deliver: (id, message, conditions) => this.#deliver(id, message, conditions),
      insist: (attempt) => this.#insist(attempt),
    });
    this.#external = new ExternalWork({
      store,
      loop: this.#loop,
      clock,
      ids,
      dueAt: (atMs) => this.#wakeups.noLaterThan(atMs),
      isActive: (tenantId) => this.tenants.isActive(tenantId),
    });
    this.#sightings = new Sightings({ store, clock, runtimeId, seen: () => this.#peers.look(), failed });
    this.#recovery = new Recovery({
      store,
      runtimeId,
      isAlive: (id) => this.#peers.isAlive(id),
      adopts: (id) => this.#adopts(id),
      stopped,
      read: (row) => this.#load(row),
      programOf: ({ tenantId, revision }) => this.#programs.load(tenantId, revision),
      deliver: async (id, message, conditions) => {
        await this.#deliver(id, message, conditions);
      },
      failed,
    });
    const hasTools = Object.keys(options.tools ?? {}).length > 0;
    this.#takeover = new Takeover({ recovery: this.#recovery, clock, isMine, hasTools, stopped, failed });
    this.#ownWork = new OwnWork({
      store,
      runtimeId,
      dispatch: this.#dispatch,
      known: (id) => this.#hot.peek(id),
      load: (row) => this.#load(row),
      spawn: (parent, visit) => void this.#insist(() => this.#children.spawn(parent, visit)),
      deliver: (id, message) => this.#deliver(id, message),
      insist: (attempt) => this.#insist(attempt),
      stopped,
    });
    this.#notices = new Notices({
      hot: this.#hot,
      feed: this.#feed,
      quotas: this.tenants,
      external: this.#external,
      children: this.#children,
      wakeups: this.#wakeups,
      peers: this.#peers,
      ownWork: this.#ownWork,
      takeover: this.#takeover,
      committed: (note) => this.#tell(note),
      changed: (change) => {
        for (const told of this.#controlListeners) told(change);
      },
      failed,
    });
  }

  /** Throws `StoreError` `store_locked` when another runtime works on the database. */
  async open(): Promise<void> {
    await this.#store.lock({ runtimeId: this.id, pid: process.pid, startedAtMs: this.#clock.nowMs() });
    await this.#sightings.begin();
    this.#letProcessEnd = this.#clock.after(Number.MAX_SAFE_INTEGER, () => {}, true);
    this.#deaf = this.#store.watch((notice) => {
      if (this.#closing === null) this.#notices.apply(notice);
    });
    this.#recovering = this.#takeover.begin();
    this.#children.drain();
    void this.#wakeups.ring();
  }

  /** Others were there and are not any more: what they had under way, and what only they knew would fall due, is taken over. */
  #looked(gone: readonly string[]): void {
    if (this.#closing !== null) return;
    this.#takeover.looked(gone);
    if (gone.length > 0) void this.#wakeups.ring();
  }

  // ---- clients

  async register(caller: Caller, document: unknown): ReturnType<Runtime['register']> {
    this.#admit();
    return this.#intake.register(caller, document);
  }

  async start(...[caller, request]: Parameters<Runtime['start']>): ReturnType<Runtime['start']> {
    this.#admit();
    return this.#intake.start(caller, request);
  }

  async cancel(...[caller, id, reason]: Parameters<Runtime['cancel']>): Promise<void> {
    this.#admit();
    return this.#intake.cancel(caller, id, reason ?? 'user request');
  }

  async pause(...[caller, id, reason]: Parameters<Runtime['pause']>): Promise<void> {
    this.#admit();
    return this.#interventions.pause(caller, id, reason ?? null);
  }

  async resume(caller: Caller, id: string): Promise<void> {
    this.#admit();
    return this.#interventions.resume(caller, id);
  }

  async retry(caller: Caller, id: string): ReturnType<Runtime['retry']> {
    this.#admit();
    return this.#interventions.retry(caller, id);
  }

  async fork(...[caller, id, request]: Parameters<Runtime['fork']>): ReturnType<Runtime['fork']> {
    this.#admit();
    return this.#forks.fork(caller, id, request);
  }

  async approve(...[caller, id, decision]: Parameters<Runtime['approve']>): ReturnType<Runtime['approve']> {
    this.#admit();
    return this.#intake.approve(caller, id, decision);
  }

  async sendEvent(...[caller, id, event]: Parameters<Runtime['sendEvent']>): ReturnType<Runtime['sendEvent']> {
    this.#admit();
    return this.#intake.sendEvent(caller, id, event);
  }

  execution(tenantId: string, id: string): ReturnType<Runtime['execution']> {
    return this.#reads.execution(tenantId, id);
  }

  async executions(...[tenantId, request]: Parameters<Runtime['executions']>): ReturnType<Runtime['executions']> {
    const { rows, next } = await this.#store.tenant(tenantId).executions({ ...request, ...storedFilter(request) });
    return { executions: rows.map(summaryOf), next };
  }

  mark(): string {
    return this.#ids.mark(this.#clock.nowMs());
  }

  settled(...[tenantId, id, waitMs, signal]: Parameters<Runtime['settled']>): ReturnType<Runtime['settled']> {
    return this.#reads.settled(tenantId, id, waitMs, signal);
  }

  events(...[tenantId, id, page]: Parameters<Runtime['events']>): ReturnType<Runtime['events']> {
    return this.#reads.events(tenantId, id, page);
  }

  subscribe(...[tenantId, id, options]: Parameters<Runtime['subscribe']>): ReturnType<Runtime['subscribe']> {
    return this.#reads.subscribe(tenantId, id, options);
  }

  stateAt(...[tenantId, id, sequence]: Parameters<Runtime['stateAt']>): ReturnType<Runtime['stateAt']> {
    return this.#points.stateAt(tenantId, id, sequence);
  }

  replay(tenantId: string, id: string): ReturnType<Runtime['replay']> {
    return this.#points.replay(tenantId, id);
  }

  approvals(tenantId: string, id: string): ReturnType<Runtime['approvals']> {
    return this.#reads.approvals(tenantId, id);
  }

  // ---- workers

  async claim(...[caller, claim]: Parameters<Runtime['claim']>): ReturnType<Runtime['claim']> {
    this.#admit();
    const items = await this.#external.claim(caller, claim, () => this.#closing !== null);
    this.#sightings.worker(caller, claim, items.length);
    return items;
  }

  async complete(...[caller, id, result]: Parameters<Runtime['complete']>): Promise<void> {
    this.#admit();
    return this.#external.complete(caller, id, result);
  }

  async fail(...[caller, id, failure]: Parameters<Runtime['fail']>): Promise<void> {
    this.#admit();
    return this.#external.fail(caller, id, failure);
  }

  async heartbeat(...[caller, id, lease]: Parameters<Runtime['heartbeat']>): ReturnType<Runtime['heartbeat']> {
    this.#admit();
    return this.#external.heartbeat(caller, id, lease);
  }

  async enqueue(...[caller, item]: Parameters<Runtime['enqueue']>): ReturnType<Runtime['enqueue']> {
    this.#admit();
    await this.#reads.find(caller.tenantId, item.executionId);
    return this.#external.enqueue(caller, item);
  }

  workers(tenantId: string): ReturnType<Runtime['workers']> {
    return this.#sightings.workers(tenantId);
  }

  onCommit(told: (note: CommitNote | null) => void): () => void {
    this.#commitListeners.add(told);
    return () => this.#commitListeners.delete(told);
  }

  onControl(told: (change: ControlChange | null) => void): () => void {
    this.#controlListeners.add(told);
    return () => this.#controlListeners.delete(told);
  }

  forget(executionIds: readonly string[]): void {
    for (const id of executionIds) this.#hot.delete(id);
  }

  // ---- life

  close(graceMs: number = DEFAULT_GRACE_MS): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    try {
      this.#wakeups.stop();
      this.#children.stop();
      this.#external.wakeAll();
      this.#feed.wakeAll();
      await this.#dispatch.stop(graceMs);
      await this.#handOver();
      await this.#recovering;
      await this.#takeover.end();
      await this.#loop.idle();
      await this.#sightings.end();
    } finally {
      this.#deaf();
      this.#letProcessEnd();
    }
  }

  /** A runtime that stops begins nothing more: what comes next is another's, if one is there. */
  #ownerAfter(executionId: string, owner: string | null): string {
    const isOver = this.#closing !== null && (owner ?? this.id) === this.id && this.#dispatch.countOf(executionId) === 0;
    return (isOver ? this.#peers.heirOf(executionId) : null) ?? this.#peers.ownerAfter(owner);
  }

  /** What is not handed over is taken over, once this runtime is known to have stopped. */
  async #handOver(): Promise<void> {
    const untilMs = this.#clock.nowMs() + HAND_OVER_MS;
    const hasHeir = (id: string): boolean => this.#peers.heirOf(id) !== null && this.#clock.nowMs() < untilMs;
    if (this.#store.shared) await this.#ownWork.handOver(hasHeir).catch((error: unknown) => this.#options.onError?.(error));
  }

  #admit(): void {
    if (this.#closing !== null) throw new RuntimeError('shutting_down', 'the runtime is shutting down', { retryAfterMs: 2000 });
    if (this.#loop.pending + this.#dispatch.size > (this.#options.maxPending ?? DEFAULTS.maxPending)) {
      throw new RuntimeError('overloaded', 'too much work is waiting', { retryAfterMs: 1000 });
    }
  }

  #adopts(executionId: string): boolean {
    return this.#options.adopts === undefined || this.#own.has(executionId) || this.#options.adopts(executionId);
  }

  /** After a commit: tell who watches, set the alarm, begin and abort in-process work, wake workers, deliver messages. */
  #committed(commit: Committed): void {
    const { before, now, write, effects } = commit;
    if (before === null && this.#options.adopts !== undefined) this.#own.add(now.id);
    this.tenants.committed(before, now);
    this.#feed.wake(now.id);
    if (this.#commitListeners.size > 0) this.#tell(noteOf(commit));
    if (before === null || write.revive !== undefined) this.#wakeups.noLaterThan(now.deadlineAtMs);
    for (const timer of write.timers) if (timer.op === 'set') this.#wakeups.noLaterThan(timer.atMs);
    // Work that another runtime does, it hears of.
    const isOwn = now.owner === this.id;
    for (const { effect, run } of effects) {
      if (effect.type === 'work' && effect.local && isOwn) this.#ownWork.begin(now, run, effect);
      else if (effect.type === 'spawn' && isOwn) this.#ownWork.spawn(now, visitOf(effect));
      else if (effect.type === 'abandon') this.#dispatch.abandon(now.id, effect);
    }
    for (const work of write.work) if (work.op === 'put') this.#external.available(now.tenantId, work.item.queue);
    if (write.send.length > 0) this.#children.drain();
    if (isOwn && before !== null && before.owner !== null && before.owner !== this.id)
      void this.#recovery.adopt(before, before.owner).catch((error: unknown) => this.#options.onError?.(error));
    for (const problem of commit.diagnostics) this.#options.onDiagnostic?.(now.id, problem);
  }

  #tell(note: CommitNote | null): void {
    for (const told of this.#commitListeners) told(note);
  }

  /** Again until it works or the runtime stops. */
  #insist<T>(attempt: () => Promise<T>): Promise<T | null> {
    const failed = (error: unknown): void => this.#options.onError?.(error);
    return insist({ clock: this.#clock, stopped: () => this.#closing !== null, failed }, attempt);
  }

  #deliver(executionId: string, message: Message, conditions?: Conditions): Promise<Outcome | null> {
    const draft = { origin: this.#origin, ...(conditions === undefined ? {} : { conditions }) };
    return this.#insist(() => this.#loop.send(executionId, message, draft));
  }

  #load(row: Parameters<typeof loadHot>[1]): Promise<Hot> {
    const stepLimit = this.#options.stepLimit ?? DEFAULTS.stepLimit;
    const lookFor = (owner: string): Promise<void> => this.#peers.lookFor(owner);
    return loadHot({ store: this.#store, programs: this.#programs, runtimeId: this.id, stepLimit, lookFor }, row);
  }

  /** As it is stored, in memory or not; null = unknown. */
  async #current(id: string): Promise<Hot | null> {
    const known = this.#hot.get(id);
    if (known !== undefined && !this.#store.shared) return known;
    const row = await this.#store.execution(id);
    if (row === null) return null;
    return known !== undefined && known.run.seq === row.seq ? known : this.#load(row);
  }
}
