import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Message, Visit } from '../../machines/messages.ts';
import { activeOf } from '../../machines/step.ts';
import type { ExecutionRow } from '../../store/rows.ts';
import type { Store } from '../../store/store.ts';
import type { Conditions } from './envelope.ts';
import type { Hot } from './hot.ts';
import type { Loaded } from './programs.ts';

/** Executions taken over between two turns of the event loop: a restart with thousands of them must not keep the first requests waiting. */
const PAGE = 20;
/** Attempts that are remembered as taken over. */
const REMEMBERED = 10_000;

export interface RecoveryOptions {
  readonly store: Store;
  readonly runtimeId: string;
  /** Is that runtime there, this one included? */
  readonly isAlive: (runtimeId: string) => boolean;
  readonly adopts: (executionId: string) => boolean;
  readonly stopped: () => boolean;
  readonly read: (row: ExecutionRow) => Promise<Hot>;
  readonly programOf: (row: ExecutionRow) => Promise<Loaded>;
  /** Resolves when the message has been taken or refused. */
  readonly deliver: (executionId: string, message: Message, conditions: Conditions) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

/**
 * Takes over the in-process work of runtimes that are gone. The snapshot is the intention: a node that was under way gets
 * a failed attempt (`runtime lost`), so that a poisonous one cannot loop for ever; work that an orderly stop handed back is
 * begun again under the same attempt.
 */
export class Recovery {
  readonly #options: RecoveryOptions;
  /** How runtimes that are gone ended. */
  readonly #orderly = new Map<string, Promise<boolean>>();
  /** Attempts are taken over once, though a sweep and a commit may both come across them. */
  readonly #adopted = new LRUCache<string, true>({ maxSize: REMEMBERED, sizeCalculation: () => 1 });

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** What was taken over may not be so any more. */
  forget(): void {
    this.#adopted.clear();
  }

  /** Takes over all executions of runtimes that are gone, of those that `isMine`; answers whether some were left to others. */
  async sweep(isMine: (executionId: string) => boolean): Promise<boolean> {
    const { store, isAlive, adopts, stopped, read, failed } = this.#options;
    this.#orderly.clear();
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
            if (row.owner !== null && !isAlive(row.owner)) await this.adopt(hot, row.owner);
          } catch (error) {
            failed(error);
          }
        }),
      );
    }
    return leftSome;
  }

  /** Takes over what `lost`, which is gone, had under way when the execution was as it is given; or one attempt of it alone. */
  async adopt(hot: Hot, lost: string, only?: Visit): Promise<void> {
    const orderly = await this.#stoppedCleanly(lost);
    const under = activeOf(hot.loaded.program, hot.run).filter(({ local, node }) => local && (only?.node ?? node) === node);
    for (const { node, activation, attempt, phase } of under) {
      const key = `${lost}\n${hot.id}\n${node}\n${activation}\n${attempt}`;
      if (this.#adopted.has(key)) continue;
      this.#adopted.set(key, true);
      const isChild = hot.loaded.kindOf(node)?.type === 'subgraph';
      // Starting a child is the runtime's own work and leaves nothing behind when it is cut short: it never counts as an attempt. Nor does
      // what only waited for a slot.
      const message: Message =
        orderly || isChild || phase === 'queued'
          ? { type: 'requeue', node, activation, attempt }
          : { type: 'fail', node, activation, attempt, error: 'runtime lost', retryable: true };
      await this.#options.deliver(hot.id, message, { orphanOf: lost });
    }
  }

  #stoppedCleanly(runtimeId: string): Promise<boolean> {
    const known = this.#orderly.get(runtimeId);
    if (known !== undefined) return known;
    const asked = this.#options.store.stoppedCleanly(runtimeId);
    this.#orderly.set(runtimeId, asked);
    asked.catch(() => this.#orderly.delete(runtimeId));
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
    const { store, adopts, programOf, deliver, isAlive, runtimeId } = this.#options;
    const row = adopts(executionId) ? await store.execution(executionId) : null;
    if (row === null) return true;
    if (!(await programOf(row)).isLocal(node)) return true;
    if (row.owner !== null && row.owner !== runtimeId && isAlive(row.owner)) return false;
    await deliver(executionId, { type: 'requeue', node, activation, attempt, queued: true }, {});
    return true;
  }
}
