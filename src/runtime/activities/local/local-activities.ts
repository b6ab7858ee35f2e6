import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { JsonObject } from '../../../../machines/json.ts';
import type { Message, Visit } from '../../../../machines/messages.ts';
import type { ActiveNode, Run } from '../../../../machines/run.ts';
import { activeOf } from '../../../../machines/step/index.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { ExecutionRow } from '../../../../store/port/executions.ts';
import type { CommittedExecution } from '../../../../store/port/notifications.ts';
import type { MessageOutcome } from '../../engine/envelope.ts';
import type { CachedExecution } from '../../engine/loading/execution-cache.ts';
import type { ActivityPool } from './activity-pool.ts';

/** Attempts that are remembered as begun: as many as are ever under way at a time, and some more. */
const MAX_REMEMBERED = 100_000;
const PAGE = 200;

export interface LocalActivitiesOptions {
  readonly store: ExecutionStore;
  readonly runtimeId: string;
  readonly dispatch: ActivityPool;
  /** The execution as it is in memory, if it is. */
  readonly known: (executionId: string) => CachedExecution | undefined;
  readonly load: (row: ExecutionRow) => Promise<CachedExecution>;
  /** Starts the child of a subgraph node, which the step that led to `seq` asked for. */
  readonly spawn: (parent: CachedExecution, visit: Visit, seq: number) => void;
  /** Takes over an attempt of a runtime that was the owner and is gone. */
  readonly adopt: (hot: CachedExecution, attempt: Visit, lost: string) => void;
  /** Resolves when the message has been taken or refused; null = given up. */
  readonly deliver: (executionId: string, message: Message) => Promise<MessageOutcome | null>;
  /** Again until it works, or until the runtime stops. */
  readonly insist: <T>(attempt: () => Promise<T>) => Promise<T | null>;
  readonly stopped: () => boolean;
  readonly failed: (error: unknown) => void;
}

/**
 * The in-process work of the executions this runtime owns, of which others may move on: it is begun here once, whoever has made it
 * durable, and abandoned when it is not wanted any more.
 */
export class LocalActivities {
  readonly #options: LocalActivitiesOptions;
  /** By attempt: the sequence of the run it was begun from. Sized by count, since `max` would allocate all of it at the start. */
  readonly #started = new LRUCache<string, number>({ maxSize: MAX_REMEMBERED, sizeCalculation: () => 1 });
  /** Executions that are being looked at; true = once more. */
  readonly #looking = new Map<string, boolean>();
  #reconcilingAll: Promise<void> | null = null;
  #again = false;

  constructor(options: LocalActivitiesOptions) {
    this.#options = options;
  }

  /** A commit of this runtime made it durable. `waits`: it has not started, and does when there is a slot. */
  start(hot: CachedExecution, run: Run, visit: Visit, waits: boolean): void {
    if (!this.#isNew(hot.id, visit, run.seq)) return;
    if (waits) this.#options.dispatch.enqueue(hot, run, visit);
    else this.#options.dispatch.start(hot, run, visit);
  }

  /** Makes durable that an attempt which waited for a slot starts; null = it is not wanted any more, or the runtime stops. */
  async claim(executionId: string, { node, activation, attempt }: Visit): Promise<Run | null> {
    const visit = { node, activation, attempt };
    const { deliver, runtimeId } = this.#options;
    const outcome = await deliver(executionId, { type: 'claimed', ...visit, workerId: runtimeId, local: true });
    if (outcome === null) return null;
    if (!('refused' in outcome)) return outcome.run;
    this.#started.delete(keyOf(executionId, visit));
    return null;
  }

  /** The same of a child to start. */
  spawn(parent: CachedExecution, run: Run, visit: Visit): void {
    if (this.#isNew(parent.id, visit, run.seq)) this.#options.spawn(parent, visit, run.seq);
  }

  /** While the answer to a commit was on its way, a look at the store may have found, and begun, what the commit asked for. */
  #isNew(executionId: string, visit: Visit, seq: number): boolean {
    if (!this.#options.store.shared) return true;
    const key = keyOf(executionId, visit);
    const begunAt = this.#started.get(key);
    if (begunAt !== undefined && begunAt >= seq) return false;
    this.#started.set(key, seq);
    return true;
  }

  /** Somebody else has committed something. */
  onCommittedElsewhere({ id, owner }: CommittedExecution): void {
    if (owner === this.#options.runtimeId || this.#options.dispatch.countOf(id) > 0) void this.#reconcileCoalesced(id);
  }

  /** Delivers an attempt's outcome. One that is refused does not count: should the attempt be wanted after all, it is begun again. */
  async report(executionId: string, visit: Visit, message: Message): Promise<void> {
    const outcome = await this.#options.deliver(executionId, message);
    if (outcome !== null && 'refused' in outcome) this.#started.delete(keyOf(executionId, visit));
  }

  /** What the database knows of what was begun here is not known: as after a crash, but that no attempt counts as failed. */
  restart(): void {
    this.#options.dispatch.abandonAll();
    this.#started.clear();
  }

  /** Looks at all executions this runtime owns: what was told of them, or what became of a commit, may have been missed. */
  reconcileAll(): void {
    this.#again = true;
    this.#reconcilingAll ??= this.#reconcileAll().finally(() => {
      this.#reconcilingAll = null;
    });
  }

  async #reconcileAll(): Promise<void> {
    const { insist, stopped } = this.#options;
    while (this.#again && !stopped()) {
      this.#again = false;
      await insist(() => this.#sweep());
    }
  }

  async #sweep(): Promise<void> {
    const { store, runtimeId, dispatch, stopped } = this.#options;
    for (let after = ''; !stopped(); ) {
      const rows = await store.executionsWithLocalWork({ after, limit: PAGE });
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.id;
      for (const { id, owner, localWork } of rows) {
        if (owner === runtimeId && dispatch.countOf(id) !== localWork) await this.#reconcileCoalesced(id);
      }
      await setImmediate();
    }
  }

  async #reconcileCoalesced(id: string): Promise<void> {
    if (this.#looking.has(id)) {
      this.#looking.set(id, true);
      return;
    }
    do {
      this.#looking.set(id, false);
      await this.#options.insist(() => this.#reconcile(id));
    } while (this.#looking.get(id) === true && !this.#options.stopped());
    this.#looking.delete(id);
  }

  async #reconcile(id: string): Promise<void> {
    const { store, known, load, dispatch, runtimeId } = this.#options;
    const row = await store.execution(id);
    if (row === null) {
      dispatch.keepOnly(id, Number.POSITIVE_INFINITY, []);
      return;
    }
    const loaded = await load(row);
    const starters = await this.#startersOf(loaded);
    // A commit of this runtime may have come in between.
    const mine = known(id);
    const hot = mine !== undefined && mine.run.seq > loaded.run.seq ? mine : loaded;
    const wanted = hot.owner === runtimeId ? activeOf(hot.loaded.program, hot.run).filter(({ local }) => local) : [];
    dispatch.keepOnly(id, hot.run.seq, wanted);
    for (const node of wanted) {
      if (this.#started.has(keyOf(id, node))) continue;
      const starter = starters.get(keyOf(id, node)) ?? runtimeId;
      if (starter === runtimeId) this.#startHere(hot, node);
      else this.#options.adopt(hot, node, starter);
    }
  }

  /**
   * By attempt, the runtimes that started what is under way and not begun here. An execution may have become this runtime's by a commit whose
   * answer was lost: what the lost owner had started is a failed attempt then, not one to be begun again.
   */
  async #startersOf(hot: CachedExecution): Promise<ReadonlyMap<string, string>> {
    const starters = new Map<string, string>();
    if (hot.owner !== this.#options.runtimeId) return starters;
    for (const active of activeOf(hot.loaded.program, hot.run)) {
      const key = keyOf(hot.id, active);
      if (!active.local || active.phase !== 'running' || this.#started.has(key)) continue;
      if (hot.loaded.executorOf(active.node) === null) continue;
      const starter = await this.#starterOf(hot.id, active);
      if (starter !== null) starters.set(key, starter);
    }
    return starters;
  }

  /** The runtime that the log names for an attempt's start; null = none. */
  async #starterOf(id: string, { node, activation, attempt }: Visit): Promise<string | null> {
    const { store } = this.#options;
    let starter: string | null = null;
    for (let after = 0; ; ) {
      const rows = await store.events(id, { after, limit: PAGE, type: 'node_started', nodeId: node });
      for (const { data } of rows) {
        const started = JSON.parse(data) as JsonObject;
        if (started.activation === activation && started.attempt === attempt) starter = String(started.worker_id);
      }
      after = rows.at(-1)?.seq ?? after;
      if (rows.length < PAGE) return starter;
    }
  }

  #startHere(hot: CachedExecution, { node, activation, attempt, phase }: ActiveNode): void {
    const visit = { node, activation, attempt };
    if (hot.loaded.executorOf(node) !== null) this.start(hot, hot.run, visit, phase === 'queued');
    else if (hot.loaded.isLocal(node)) this.spawn(hot, hot.run, visit);
    // Whoever committed it has a tool that is not here: it goes on the queue, for whoever has.
    else void this.#options.deliver(hot.id, { type: 'requeue', ...visit, unbegun: true });
  }

  /** Before this runtime stops: its heirs go on with what it still owns. What it had begun, and did not end, is begun again if it may be. */
  async transferAll(hasHeir: (executionId: string) => boolean): Promise<void> {
    const { store, runtimeId } = this.#options;
    for (let after = ''; ; ) {
      const rows = await store.executionsWithLocalWork({ after, limit: PAGE });
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.id;
      const own = rows.filter(({ id, owner }) => owner === runtimeId && hasHeir(id));
      // One that cannot be loaded must not keep the others from being handed over.
      await Promise.all(own.map((row) => this.#transfer(row).catch(this.#options.failed)));
    }
  }

  /** All in one go, so that no heir finds some of it done. */
  async #transfer(row: ExecutionRow): Promise<void> {
    const { load, deliver } = this.#options;
    const hot = await load(row);
    const own = activeOf(hot.loaded.program, hot.run).filter(({ local }) => local);
    await Promise.all(
      own.map(({ node, activation, attempt }) => {
        const visit = { node, activation, attempt };
        const unbegun = this.#started.has(keyOf(row.id, visit)) ? {} : { unbegun: true as const };
        return deliver(row.id, { type: 'requeue', ...visit, ...unbegun });
      }),
    );
  }
}

function keyOf(executionId: string, { node, activation, attempt }: Visit): string {
  return `${executionId}\n${node}\n${activation}\n${attempt}`;
}
