import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Message, Visit } from '../../../../machines/messages.ts';
import { runsChild } from '../../../../machines/nodes/index.ts';
import { activeOf } from '../../../../machines/step/index.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { ExecutionRow } from '../../../../store/port/executions.ts';
import type { Preconditions } from '../../engine/envelope.ts';
import type { CachedExecution } from '../../engine/loading/execution-cache.ts';
import type { LoadedWorkflow } from '../../engine/loading/workflow-cache.ts';

/** Executions taken over between two turns of the event loop: a restart with thousands of them must not keep the first requests waiting. */
const PAGE = 20;
/** Attempts that are remembered as taken over. */
const MAX_REMEMBERED = 10_000;

export interface OrphanRecoveryOptions {
  readonly store: ExecutionStore;
  readonly runtimeId: string;
  /** Is that runtime there, this one included? */
  readonly isAlive: (runtimeId: string) => boolean;
  readonly shouldProcess: (executionId: string) => boolean;
  readonly stopped: () => boolean;
  readonly read: (row: ExecutionRow) => Promise<CachedExecution>;
  readonly programOf: (row: ExecutionRow) => Promise<LoadedWorkflow>;
  /** Resolves when the message has been taken or refused. */
  readonly deliver: (executionId: string, message: Message, conditions: Preconditions) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

/**
 * Takes over the in-process work of runtimes that are gone. The snapshot is the intention: a node that was under way gets
 * a failed attempt (`runtime lost`), so that a poisonous one cannot loop for ever; work that an orderly stop handed back is
 * begun again under the same attempt.
 */
export class OrphanRecovery {
  readonly #options: OrphanRecoveryOptions;
  /** How runtimes that are gone ended. */
  readonly #cleanStops = new Map<string, Promise<boolean>>();
  /** Attempts are taken over once, though a sweep and a commit may both come across them. */
  readonly #recovered = new LRUCache<string, true>({ maxSize: MAX_REMEMBERED, sizeCalculation: () => 1 });

  constructor(options: OrphanRecoveryOptions) {
    this.#options = options;
  }

  /** What was taken over may not be so any more. */
  forget(): void {
    this.#recovered.clear();
  }

  /** Takes over all executions of runtimes that are gone, of those that `isMine`; answers whether some were left to others. */
  async sweep(isMine: (executionId: string) => boolean): Promise<boolean> {
    const { store, isAlive, shouldProcess: adopts, stopped, read, failed } = this.#options;
    this.#cleanStops.clear();
    let leftSome = false;
    let after = '';
    while (!stopped()) {
      await setImmediate();
      const rows = await store.executionsWithLocalWork({ after, limit: PAGE });
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.id;
      const orphans = rows.filter((row) => row.owner !== null && !isAlive(row.owner) && adopts(row.id));
      const mine = orphans.filter((row) => isMine(row.id));
      leftSome ||= mine.length < orphans.length;
      await Promise.all(
        mine.map(async (row) => {
          try {
            const hot = await read(row);
            // Reading looks for owners that nobody here has heard of.
            if (row.owner !== null && !isAlive(row.owner)) await this.recover(hot, row.owner);
          } catch (error) {
            failed(error);
          }
        }),
      );
    }
    return leftSome;
  }

  /** Takes over what `lost`, which is gone, had under way when the execution was as it is given; or one attempt of it alone. */
  async recover(hot: CachedExecution, lost: string, only?: Visit): Promise<void> {
    const orderly = await this.#stoppedCleanly(lost);
    const under = activeOf(hot.loaded.program, hot.run).filter(({ local, node }) => local && (only?.node ?? node) === node);
    for (const { node, activation, attempt, phase } of under) {
      const key = `${lost}\n${hot.id}\n${node}\n${activation}\n${attempt}`;
      if (this.#recovered.has(key)) continue;
      this.#recovered.set(key, true);
      const kind = hot.loaded.kindOf(node);
      const isChild = kind !== null && runsChild(kind);
      // Starting a child is the runtime's own work and leaves nothing behind when it is cut short: it never counts as an attempt. Nor does
      // what only waited for a slot.
      const message: Message =
        orderly || isChild || phase === 'queued'
          ? { type: 'requeue', node, activation, attempt }
          : { type: 'fail', node, activation, attempt, error: 'runtime lost', retryable: true };
      await this.#options.deliver(hot.id, message, { lostOwner: lost });
    }
  }

  #stoppedCleanly(runtimeId: string): Promise<boolean> {
    const known = this.#cleanStops.get(runtimeId);
    if (known !== undefined) return known;
    const asked = this.#options.store.stoppedCleanly(runtimeId);
    this.#cleanStops.set(runtimeId, asked);
    asked.catch(() => this.#cleanStops.delete(runtimeId));
    return asked;
  }

  /**
   * Takes `tool` nodes that wait for an external worker into this process, when it has the tool: an execution need not wait for
   * ever because the server that began it had been started without its tools. Looks at items after the one named; answers the one to
   * look after next time, when some belong to executions whose owner is another runtime that is there.
   */
  async reclaim(from = ''): Promise<string | null> {
    const { store, stopped, failed } = this.#options;
    let after = from;
    let again: string | null = null;
    while (!stopped()) {
      await setImmediate();
      const items = await store.unclaimedWork({ queue: 'tool', after, limit: PAGE });
      const last = items.at(-1);
      if (last === undefined) break;
      for (const item of items) {
        try {
          if (!(await this.#reclaimOne(item.executionId, { ...item, node: item.nodeId }))) again ??= after;
        } catch (error) {
          failed(error);
        }
      }
      after = last.id;
    }
    return again;
  }

  /** False = its execution is in other hands. */
  async #reclaimOne(executionId: string, { node, activation, attempt }: Visit): Promise<boolean> {
    const { store, shouldProcess: adopts, programOf, deliver, isAlive, runtimeId } = this.#options;
    const row = adopts(executionId) ? await store.execution(executionId) : null;
    if (row === null) return true;
    if (!(await programOf(row)).isLocal(node)) return true;
    if (row.owner !== null && row.owner !== runtimeId && isAlive(row.owner)) return false;
    await deliver(executionId, { type: 'requeue', node, activation, attempt, queued: true }, {});
    return true;
  }
}
