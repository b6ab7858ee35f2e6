import type { Message, Visit } from '../../machines/messages.ts';
import type { Store } from '../../store/store.ts';
import type { Executor } from '../executors/executor.ts';
import { functionExecutor } from '../executors/function.ts';
import { httpExecutor } from '../executors/http.ts';
import { httpToolExecutor } from '../executors/http-tool.ts';
import { Outbound } from '../executors/outbound.ts';
import { Children } from './children.ts';
import { type Clock, systemClock } from './clock.ts';
import { Dispatch } from './dispatch.ts';
import type { Conditions, Outcome } from './envelope.ts';
import { RuntimeError } from './errors.ts';
import { ExternalWork } from './external-work.ts';
import { Feed } from './feed.ts';
import { type Hot, hotCache } from './hot.ts';
import { createIds, runtimeName } from './ids.ts';
import { insist } from './insist.ts';
import { Intake } from './intake.ts';
import { loadHot } from './load.ts';
import { Loop } from './loop.ts';
import type { Origin } from './origin.ts';
import { Programs } from './programs.ts';
import { Reads } from './reads.ts';
import { type RecoveryOptions, reclaim, recover } from './recovery.ts';
import { Sightings } from './sightings.ts';
import type { Committed } from './turn.ts';
import type { Caller, Runtime, Tools } from './types.ts';
import { summaryOf } from './views.ts';
import { Wakeups } from './wakeups.ts';

const DEFAULTS = {
  stepLimit: 10_000,
  concurrency: 256,
  maxPending: 20_000,
  hotBytes: 256 * 1024 * 1024,
};
const DEFAULT_GRACE_MS = 10_000;

export interface RuntimeOptions {
  readonly store: Store;
  /** Names this runtime among others, now and earlier; default a random name. */
  readonly id?: string;
  /** In-process tools, by the `tool_ref` that calls them. */
  readonly tools?: Tools;
  readonly clock?: Clock;
  /** Node completions after which an execution fails; default 10,000. */
  readonly stepLimit?: number;
  /** In-process attempts that run at the same time; default 256. */
  readonly concurrency?: number;
  /** Messages and attempts waiting before new requests are refused as `overloaded`; default 20,000. */
  readonly maxPending?: number;
  /** Memory for hot executions, bytes; default 256 MiB. */
  readonly hotBytes?: number;
  /** What the `env` root of expressions shows; default nothing. */
  readonly vars?: Readonly<Record<string, string>>;
  /** May `http` nodes and tools reach loopback and private addresses? Default no. */
  readonly allowPrivateAddresses?: boolean;
  /**
   * Which stored executions this runtime works on beside those it starts; default all. A runtime for one run on a shared
   * file leaves the others alone.
   */
  readonly adopts?: (executionId: string) => boolean;
  /** Told of conditions and templates that could not be evaluated (they count as false and null). */
  readonly onDiagnostic?: (executionId: string, problem: string) => void;
  /** Told of what went wrong behind the scenes: a store that is away, an execution that cannot be loaded. */
  readonly onError?: (error: unknown) => void;
}

/** Starts a runtime on a store: takes its lock, adopts what an earlier one left, and works until `close`. */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const runtime = new DurableRuntime(options);
  await runtime.open();
  return runtime;
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
  readonly #reads: Reads;
  readonly #intake: Intake;
  readonly #dispatch: Dispatch;
  readonly #children: Children;
  readonly #external: ExternalWork;
  readonly #wakeups: Wakeups;
  readonly #sightings: Sightings;
  readonly #outbound: Outbound;
  /** Executions started here, while this runtime adopts only some. */
  readonly #own = new Set<string>();
  #recovering: Promise<void> = Promise.resolve();
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
    const persist = <T>(attempt: () => Promise<T>): Promise<T | null> => insist({ clock, stopped, failed }, attempt);
    this.#store = store;
    this.#outbound = new Outbound({ allowPrivateAddresses: options.allowPrivateAddresses ?? false });
    this.#clock = clock;
    this.#origin = { actorId: this.id, actorType: 'system', request: null };
    this.#hot = hotCache(options.hotBytes ?? DEFAULTS.hotBytes);
    this.#programs = new Programs(store, options.tools ?? {});
    this.#loop = new Loop({
      store,
      programs: this.#programs,
      hot: this.#hot,
      clock,
      ids,
      runtimeId: this.id,
      stepLimit: options.stepLimit ?? DEFAULTS.stepLimit,
      vars,
      committed: (commit) => this.#committed(commit),
    });
    this.#reads = new Reads({
      store,
      clock,
      feed: this.#feed,
      hot: (id) => this.#hot.get(id),
      load: (row) => this.#load(row),
      stopped,
    });
    this.#intake = new Intake({ store, programs: this.#programs, loop: this.#loop, reads: this.#reads, clock, ids });
    this.#dispatch = new Dispatch({
      clock,
      vars,
      concurrency: options.concurrency ?? DEFAULTS.concurrency,
      executorOf: (hot, node) => this.#executorOf(hot, node),
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
      read: async (id) => this.#hot.get(id) ?? (await this.#loadById(id)),
      deliver: (id, message, conditions) => void this.#deliver(id, message, conditions),
      insist: persist,
      failed,
    });
    this.#wakeups = new Wakeups({
      store,
      clock,
      adopts: (id) => this.#adopts(id),
      deliver: (id, message, conditions) => this.#deliver(id, message, conditions),
      insist: persist,
    });
    this.#external = new ExternalWork({ store, loop: this.#loop, clock, ids, dueAt: (atMs) => this.#wakeups.noLaterThan(atMs) });
    this.#sightings = new Sightings({ store, clock, runtimeId: this.id, failed });
  }

  /** Throws `StoreError` `store_locked` when another runtime works on the database. */
  async open(): Promise<void> {
    await this.#store.lock({ runtimeId: this.id, pid: process.pid, startedAtMs: this.#clock.nowMs() });
    await this.#sightings.begin();
    this.#recovering = this.#recover();
    this.#children.drain();
    void this.#wakeups.ring();
  }

  async #recover(): Promise<void> {
    const failed = (error: unknown): void => this.#options.onError?.(error);
    const options: RecoveryOptions = {
      store: this.#store,
      runtimeId: this.id,
      adopts: (id) => this.#adopts(id),
      stopped: () => this.#closing !== null,
      read: (row) => this.#load(row),
      deliver: async (id, message) => {
        await this.#deliver(id, message);
      },
      failed,
    };
    try {
      await recover(options);
      if (Object.keys(this.#options.tools ?? {}).length > 0) await reclaim(options);
    } catch (error) {
      failed(error);
    }
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

  async executions(...[tenantId, filter]: Parameters<Runtime['executions']>): ReturnType<Runtime['executions']> {
    return (await this.#store.tenant(tenantId).executions(filter)).map(summaryOf);
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

  approvals(tenantId: string, id: string): ReturnType<Runtime['approvals']> {
    return this.#reads.approvals(tenantId, id);
  }

  // ---- workers

  async claim(...[caller, claim]: Parameters<Runtime['claim']>): ReturnType<Runtime['claim']> {
    this.#admit();
    const items = await this.#external.claim(caller, claim, () => this.#closing !== null);
    this.#sightings.worker(caller.tenantId, claim, items.length);
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

  // ---- life

  close(graceMs: number = DEFAULT_GRACE_MS): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    this.#wakeups.stop();
    this.#external.wakeAll();
    this.#feed.wakeAll();
    await this.#dispatch.stop(graceMs);
    await this.#recovering;
    await this.#loop.idle();
    await this.#sightings.end();
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
    this.#feed.wake(now.id);
    if (before === null) this.#wakeups.noLaterThan(now.deadlineAtMs);
    for (const timer of write.timers) if (timer.op === 'set') this.#wakeups.noLaterThan(timer.atMs);
    for (const { effect, run } of effects) {
      if (effect.type === 'work' && effect.local) this.#dispatch.begin(now, run, effect);
      else if (effect.type === 'spawn') void this.#spawn(now, visitOf(effect));
      else if (effect.type === 'abandon') this.#dispatch.abandon(now.id, effect);
    }
    for (const work of write.work) if (work.op === 'put') this.#external.available(now.tenantId, work.item.queue);
    if (write.send.length > 0) this.#children.drain();
    for (const problem of commit.diagnostics) this.#options.onDiagnostic?.(now.id, problem);
  }

  async #spawn(
    parent: Hot,
    visit: { readonly node: string; readonly activation: number; readonly attempt: number },
  ): Promise<void> {
    await insist(
      { clock: this.#clock, stopped: () => this.#closing !== null, failed: (error) => this.#options.onError?.(error) },
      () => this.#children.spawn(parent, visit),
    );
  }

  #deliver(executionId: string, message: Message, conditions?: Conditions): Promise<Outcome | null> {
    const draft = { origin: this.#origin, ...(conditions === undefined ? {} : { conditions }) };
    const options = {
      clock: this.#clock,
      stopped: () => this.#closing !== null,
      failed: (error: unknown) => this.#options.onError?.(error),
    };
    return insist(options, () => this.#loop.send(executionId, message, draft));
  }

  #executorOf(hot: Hot, nodeId: string): Executor {
    const { workflow } = hot.loaded.program;
    const kind = workflow.nodes.find((node) => node.id === nodeId)?.kind;
    if (kind?.type === 'http') return httpExecutor(this.#outbound);
    if (kind?.type !== 'tool') throw new RuntimeError('corrupt', `node ${nodeId} is not done in process`);
    const tools = this.#options.tools ?? {};
    const tool = Object.hasOwn(tools, kind.tool_ref) ? tools[kind.tool_ref] : undefined;
    if (tool !== undefined) return functionExecutor(tool);
    return httpToolExecutor(this.#outbound, workflow.tools[kind.tool_ref]?.reference ?? '');
  }

  #load(row: Parameters<typeof loadHot>[1]): Promise<Hot> {
    const stepLimit = this.#options.stepLimit ?? DEFAULTS.stepLimit;
    return loadHot({ store: this.#store, programs: this.#programs, runtimeId: this.id, stepLimit }, row);
  }

  async #loadById(id: string): Promise<Hot | null> {
    const row = await this.#store.execution(id);
    return row === null ? null : this.#load(row);
  }
}
