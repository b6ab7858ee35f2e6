import { setImmediate } from 'node:timers/promises';
import type { Visit } from '../../../machines/messages.ts';
import type { ActiveNode } from '../../../machines/run.ts';
import { activeOf } from '../../../machines/step/index.ts';
import type { EventPage, ExecutionRow } from '../../../store/port/executions.ts';
import type { ChildStartQueue } from '../activities/children/child-start-queue.ts';
import type { ActivityPool } from '../activities/local/activity-pool.ts';
import { attemptKey, type StartedAttempts } from '../activities/local/started-attempts.ts';
import type { TaskRegistry } from '../activities/local/task-registry.ts';
import type { OrphanRecovery } from '../activities/recovery/orphan-recovery.ts';
import { Coalesced, CoalescedByKey } from '../coalesce.ts';
import type { RuntimeContext } from '../context.ts';
import type { Deliver } from '../engine/deliver.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';
import type { ExecutionCache } from '../engine/loading/execution-cache.ts';
import type { ExecutionLoader } from '../engine/loading/execution-loader.ts';
import { retryForever } from '../retry-forever.ts';

const PAGE_SIZE = 200;

export interface ActivityReconcilerOptions
  extends Pick<RuntimeContext, 'store' | 'clock' | 'runtimeId' | 'events' | 'stopping' | 'onError'> {
  readonly cache: ExecutionCache;
  readonly loader: ExecutionLoader;
  readonly tasks: TaskRegistry;
  readonly started: StartedAttempts;
  readonly pool: ActivityPool;
  readonly childStarts: ChildStartQueue;
  readonly recovery: OrphanRecovery;
  readonly deliver: Deliver;
}

/**
 * Keeps the in-process work of the executions that this runtime owns in line with what other runtimes commit: starts what they
 * made due and abandons what they ended.
 */
export class ActivityReconciler {
  readonly #options: ActivityReconcilerOptions;
  readonly #reconciles = new CoalescedByKey<string>(async (id) => {
    if (!this.#options.stopping.aborted) await retryForever(this.#options, () => this.#reconcile(id));
  });
  readonly #sweeps = new Coalesced(async () => {
    await retryForever(this.#options, () => this.#sweep());
  });

  constructor(options: ActivityReconcilerOptions) {
    this.#options = options;
    const { events, runtimeId, tasks, pool, started } = options;
    events.on('committedElsewhere', ({ id, owner }) => {
      if (owner === runtimeId || tasks.of(id).size > 0) void this.#reconciles.run(id);
    });
    events.on('commitUncertain', () => this.reconcileAll());
    events.on('resync', () => this.reconcileAll());
    events.on('commitsLost', () => {
      // The database may not know what was started here: everything starts again, without failed attempts.
      pool.abandonAll();
      started.clear();
    });
  }

  /** Looks at all executions that this runtime owns: a notification, or the answer to a commit, may have been lost. */
  reconcileAll(): void {
    void this.#sweeps.run();
  }

  async #sweep(): Promise<void> {
    const { store, runtimeId, tasks, stopping } = this.#options;
    for (let after = ''; !stopping.aborted; ) {
      const rows = await store.executionsWithLocalWork({ after, limit: PAGE_SIZE });
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.id;
      for (const { id, owner, localWork } of rows) {
        if (owner === runtimeId && tasks.of(id).size !== localWork) await this.#reconciles.run(id);
      }
      await setImmediate();
    }
  }

  async #reconcile(id: string): Promise<void> {
    const { store, cache, loader, pool, childStarts, started, recovery, runtimeId, onError } = this.#options;
    const { refusals } = started;
    const row = await store.execution(id);
    if (row === null) {
      pool.keepOnly(id, Number.POSITIVE_INFINITY, []);
      return;
    }
    const loaded = await loader.load(row);
    const starters = await this.#startersOf(loaded);
    // A commit of this runtime may have been applied meanwhile.
    const cached = cache.peek(id);
    const execution = cached !== undefined && cached.run.seq > loaded.run.seq ? cached : loaded;
    const { run } = execution;
    const wanted = execution.owner === runtimeId ? activeOf(execution.loaded.program, run).filter(({ local }) => local) : [];
    pool.keepOnly(id, run.seq, wanted);
    pool.movedOn(id, run);
    childStarts.movedOn(execution);
    for (const node of wanted) {
      if (started.has(id, node)) continue;
      started.wantedAgain(id, node, run.seq, refusals);
      const starter = starters.get(attemptKey(id, node));
      if (starter === undefined) this.#start(execution, node);
      else void recovery.recover(execution, starter, node).catch(onError);
    }
  }

  /**
   * By attempt: the other runtimes that started what is running and was not started here. An execution may have become this runtime's
   * by a commit whose answer was lost; what its former owner had started is a failed attempt then, and not started again.
   */
  async #startersOf(execution: CachedExecution): Promise<ReadonlyMap<string, string>> {
    const { runtimeId, started } = this.#options;
    const starters = new Map<string, string>();
    if (execution.owner !== runtimeId) return starters;
    for (const active of activeOf(execution.loaded.program, execution.run)) {
      if (!active.local || active.phase !== 'running' || started.has(execution.id, active)) continue;
      if (isChildStart(execution, active.node)) continue;
      const starter = await this.#starterOf(execution.id, active);
      if (starter !== null && starter !== runtimeId) starters.set(attemptKey(execution.id, active), starter);
    }
    return starters;
  }

  /** The runtime that the log names for an attempt's start; null = none. */
  async #starterOf(id: string, { node, activation, attempt, item }: Visit): Promise<string | null> {
    const { store } = this.#options;
    let starter: string | null = null;
    for (let after: number | null = 0; after !== null; ) {
      const page: EventPage = await store.events(id, { after, limit: PAGE_SIZE, type: 'node_started', nodeId: node });
      for (const { data } of page.rows)
        if (data.activation === activation && data.attempt === attempt && data.item === item) starter = String(data.worker_id);
      after = page.next;
    }
    return starter;
  }

  #start(execution: CachedExecution, { node, activation, attempt, item, phase }: ActiveNode): void {
    const { pool, childStarts, deliver } = this.#options;
    const visit = { node, activation, attempt, item };
    if (execution.loaded.executorOf(node) !== null) pool.startOnce(execution, execution.run, visit, phase === 'queued');
    else if (isChildStart(execution, node)) childStarts.startOnce(execution, execution.run, visit);
    // The runtime that committed it has a tool that this one lacks: the work goes on the queue.
    else void deliver(execution.id, { type: 'requeue', ...visit, unbegun: true });
  }

  /**
   * Before this runtime stops: hands executions for which `hasSuccessor` over. What was started and has not ended starts again,
   * if it may.
   */
  async transferAll(hasSuccessor: (executionId: string) => boolean): Promise<void> {
    const { store, runtimeId, onError } = this.#options;
    for (let after = ''; ; ) {
      const rows = await store.executionsWithLocalWork({ after, limit: PAGE_SIZE });
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.id;
      const own = rows.filter(({ id, owner }) => owner === runtimeId && hasSuccessor(id));
      // An execution that cannot be loaded must not keep the others from being handed over.
      await Promise.all(own.map((row) => this.#transfer(row).catch(onError)));
    }
  }

  /** Sends all messages at once, so that they share a commit and no successor finds only some of them. */
  async #transfer(row: ExecutionRow): Promise<void> {
    const { loader, deliver, started, recovery } = this.#options;
    const execution = await loader.load(row);
    const starters = await this.#startersOf(execution);
    const own = activeOf(execution.loaded.program, execution.run).filter(({ local }) => local);
    await Promise.all(
      own.map(({ node, activation, attempt, item }) => {
        const visit = { node, activation, attempt, item };
        const starter = starters.get(attemptKey(row.id, visit));
        if (starter !== undefined) return recovery.recover(execution, starter, visit);
        const unbegun = started.has(row.id, visit) ? {} : { unbegun: true as const };
        return deliver(row.id, { type: 'requeue', ...visit, ...unbegun });
      }),
    );
  }
}

/** Does the node start a child execution, which is the same whichever runtime does it? */
function isChildStart({ loaded }: CachedExecution, node: string): boolean {
  return loaded.executorOf(node) === null && loaded.isLocal(node);
}
