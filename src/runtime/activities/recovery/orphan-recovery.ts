import { setImmediate } from 'node:timers/promises';
import { MAX_LOSSES } from '../../../../machines/limits.ts';
import type { Message, Usage, Visit } from '../../../../machines/messages.ts';
import { runsChild } from '../../../../machines/nodes/index.ts';
import type { Work } from '../../../../machines/run.ts';
import { activeOf, workOf } from '../../../../machines/step/index.ts';
import type { ExecutionRow } from '../../../../store/port/executions.ts';
import { RecentlyUsed } from '../../../../store/recently-used.ts';
import { WorkError } from '../../../executors/executor.ts';
import type { RuntimeContext } from '../../context.ts';
import type { Deliver } from '../../engine/deliver.ts';
import type { CachedExecution } from '../../engine/loading/cached-execution.ts';
import type { ExecutionLoader } from '../../engine/loading/execution-loader.ts';
import type { WorkflowCache } from '../../engine/loading/workflow-cache.ts';
import type { ExecutionScope } from '../../execution-scope.ts';
import type { Placement } from '../../placement.ts';
import { redactedInSlices } from '../../redaction/in-slices.ts';
import { retryAfter } from '../../retry-forever.ts';
import { visitOf } from '../../timers/timer-queue.ts';
import { attemptKey } from '../local/started-attempts.ts';
import { TOOL_QUEUE } from '../queues.ts';

/**
 * Executions recovered between two turns of the event loop: a restart with thousands of them must not delay the first requests.
 */
const PAGE_SIZE = 20;
/** The most recovered attempts that are remembered. */
const MAX_REMEMBERED = 10_000;
export interface OrphanRecoveryOptions
  extends Pick<RuntimeContext, 'store' | 'clock' | 'slices' | 'runtimeId' | 'events' | 'stopping' | 'onError'> {
  readonly placement: Placement;
  readonly scope: ExecutionScope;
  readonly loader: ExecutionLoader;
  readonly workflows: WorkflowCache;
  readonly deliver: Deliver;
}

/**
 * Takes over the in-process work of runtimes that are gone, as the snapshots tell it. A node that was running gets a failed
 * attempt (`runtime lost`), a durable function or an item of a list only after so many losses, so that what crashes its process cannot loop
 * forever. Work that a clean stop handed back starts again as the same attempt.
 */
export class OrphanRecovery {
  readonly #options: OrphanRecoveryOptions;
  /** Whether runtimes that are gone stopped cleanly. */
  readonly #cleanStops = new Map<string, Promise<boolean>>();
  /** An attempt is recovered once, though both a sweep and a commit may find it. */
  readonly #recovered = new RecentlyUsed<string, true>(MAX_REMEMBERED);

  constructor(options: OrphanRecoveryOptions) {
    this.#options = options;
    options.events.on('commitsLost', () => this.#recovered.clear());
  }

  /** This runtime became the owner of an execution, by a commit. */
  tookOver(before: CachedExecution | null): void {
    const { runtimeId, onError } = this.#options;
    const lost = before?.owner ?? runtimeId;
    if (before !== null && lost !== runtimeId) void this.recover(before, lost).catch(onError);
  }

  /** Recovers all executions whose owner is gone and that `isMine` accepts; returns whether some were left to other runtimes. */
  async sweep(isMine: (executionId: string) => boolean): Promise<boolean> {
    const { store, placement, scope, stopping } = this.#options;
    this.#cleanStops.clear();
    let leftSome = false;
    let after = '';
    while (!stopping.aborted) {
      await setImmediate();
      const rows = await store.executionsWithLocalWork({ after, limit: PAGE_SIZE });
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.id;
      const orphans = rows.filter((row) => row.owner !== null && !placement.isAlive(row.owner) && scope.includes(row.id));
      const mine = orphans.filter((row) => isMine(row.id));
      leftSome ||= mine.length < orphans.length;
      await Promise.all(mine.map((row) => this.#recoverStored(row).catch((error) => this.#recoverLater(row.id, error))));
    }
    return leftSome;
  }

  async #recoverStored(row: ExecutionRow): Promise<void> {
    const { loader, placement } = this.#options;
    const execution = await loader.load(row);
    // Loading confirms owners that are not known here.
    if (row.owner !== null && !placement.isAlive(row.owner)) await this.recover(execution, row.owner);
  }

  /** The others do not wait for it. */
  #recoverLater(id: string, failure: unknown): void {
    const { store } = this.#options;
    void retryAfter(this.#options, failure, async () => {
      const row = await store.execution(id);
      if (row !== null) await this.#recoverStored(row);
    });
  }

  /**
   * Recovers what the lost runtime `lostOwner` had in progress in the given state of the execution, or only one attempt of it.
   */
  async recover(execution: CachedExecution, lostOwner: string, only?: Visit): Promise<void> {
    const isClean = await this.#stoppedCleanly(lostOwner);
    const active = activeOf(execution.loaded.program, execution.run).filter(
      ({ local, node, item }) => local && (only === undefined || (only.node === node && only.item === item)),
    );
    for (const { node, activation, attempt, item, phase } of active) {
      const visit = { node, activation, attempt, item };
      const key = `${lostOwner}\n${attemptKey(execution.id, visit)}`;
      if (this.#recovered.has(key)) continue;
      this.#recovered.set(key, true);
      const kind = execution.loaded.kindOf(node);
      const isChild = kind !== null && runsChild(kind, item);
      // Starting a child is done by the runtime itself and leaves nothing behind when it is interrupted: it never counts as an attempt. Nor
      // does work that only waited for a slot.
      const message: Message =
        isClean || isChild || phase === 'queued'
          ? { type: 'requeue', ...visit }
          : {
              type: 'fail',
              ...visit,
              error: 'runtime lost',
              retryable: true,
              lost: MAX_LOSSES,
              ...(await this.#lostUsage(execution, visit)),
            };
      await this.#options.deliver(execution.id, message, { lostOwner });
    }
  }

  /** What the lost attempt has sent counts, as that of one which was given up. Whether it was received is not known. */
  async #lostUsage({ id, tenantId, loaded, run }: CachedExecution, visit: Visit): Promise<{ readonly usage?: Usage }> {
    const { node } = visit;
    const lost = loaded.executorOf(node)?.lost;
    if (lost === undefined) return {};
    const { slices, onError } = this.#options;
    try {
      const slice = slices.slice(tenantId);
      const turn = slice.next();
      if (turn !== null) await turn;
      const compute = (): Work => workOf(loaded.program, run, visit, { executionId: id, vars: loaded.vars });
      const work = await redactedInSlices(slice, compute);
      const usage = work.inputErrors.length === 0 ? lost(work, node) : null;
      return usage === null ? {} : { usage };
    } catch (error) {
      if (!(error instanceof WorkError)) onError(error);
      return {};
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
   * Takes `tool` nodes that wait for an external worker into this process if it has the tool, so that an execution does not wait
   * forever because the server that started it had been started without its tools. Looks at items after `from`. Returns the item
   * to look after next time, if some belong to executions of another live runtime; null = none does.
   */
  async reclaimToolWork(from = ''): Promise<string | null> {
    const { store, stopping, onError } = this.#options;
    let after = from;
    let next: string | null = null;
    while (!stopping.aborted) {
      await setImmediate();
      const items = await store.unclaimedWork({ queue: TOOL_QUEUE, after, limit: PAGE_SIZE });
      const last = items.at(-1);
      if (last === undefined) break;
      for (const item of items) {
        try {
          if (!(await this.#reclaimOne(item.executionId, visitOf(item)))) next ??= after;
        } catch (error) {
          onError(error);
        }
      }
      after = last.id;
    }
    return next;
  }

  /** False = the execution belongs to another live runtime. */
  async #reclaimOne(executionId: string, { node, activation, attempt, item }: Visit): Promise<boolean> {
    const { store, scope, workflows, deliver, placement, runtimeId } = this.#options;
    const row = scope.includes(executionId) ? await store.execution(executionId) : null;
    if (row === null) return true;
    const loaded = await workflows.load(row.tenantId, row.revision);
    if (!loaded.isLocal(node)) return true;
    if (row.owner !== null && row.owner !== runtimeId && placement.isAlive(row.owner)) return false;
    await deliver(executionId, { type: 'requeue', node, activation, attempt, item, queued: true });
    return true;
  }
}
