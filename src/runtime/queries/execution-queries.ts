import { doesItems } from '../../../machines/nodes/index.ts';
import type { PendingApproval as MachineApproval } from '../../../machines/run.ts';
import { type Status, TERMINAL } from '../../../machines/run.ts';
import { approvalsOf, continuedAs, isDeferred } from '../../../machines/step/index.ts';
import { heldInput } from '../../../machines/step/work/held-input.ts';
import type { ExecutionRow } from '../../../store/port/executions.ts';
import { CoalescedByKey } from '../coalesce.ts';
import type { RuntimeContext } from '../context.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';
import type { ExecutionCache } from '../engine/loading/execution-cache.ts';
import type { ExecutionLoader } from '../engine/loading/execution-loader.ts';
import { RuntimeError } from '../errors.ts';
import { eventOf, readLog } from '../log/read-log.ts';
import { redactedInSlices } from '../redaction/in-slices.ts';
import { shownRun } from '../redaction/shown-run.ts';
import { labelOfChain } from '../segment-labels.ts';
import type { CancelSignal } from '../types/cancel-signal.ts';
import type {
  ApprovalDecision,
  ApprovalsView,
  ErrorGroups,
  ExecutionCounts,
  ExecutionFilter,
  ExecutionPage,
  ExecutionPageRequest,
  ExecutionView,
  IdSearchRequest,
  NodeView,
  PendingApproval,
} from '../types/executions.ts';
import type { InputNeed } from '../types/server-runtime.ts';
import { countExecutions } from './count-executions.ts';
import { pageWithError } from './error-filter.ts';
import { ErrorGrouping } from './error-groups.ts';
import { inputNeedOf } from './input-needs.ts';
import { storedFilter } from './list-filter.ts';
import { summaryOf, viewOf } from './views.ts';
import type { WakeupSignal } from './wakeup-signal.ts';

/** The longest time a caller may ask `settled` to wait. */
const MAX_SETTLED_WAIT_MS = 60_000;
/**
 * On a shared database: how long the cache is trusted that an execution has not settled, since a notification may have been lost.
 */
const MAX_CACHE_AGE_MS = 1_000;

/** Executions that are grouped by their errors, and how many are read at once. */
const MAX_GROUPED = 10_000;
const ERROR_PAGE = 1_000;

export interface ExecutionQueriesOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'slices' | 'stopping'> {
  readonly cache: ExecutionCache;
  readonly loader: ExecutionLoader;
  /** Wakes at least when an execution settles. */
  readonly settledExecutions: WakeupSignal;
}

/** Executions as clients see them: only what is committed. */
export class ExecutionQueries {
  readonly #options: ExecutionQueriesOptions;
  /** By tenant and filter. */
  readonly #counts = new CoalescedByKey<string, ExecutionCounts>((key) => {
    const [tenantId, filter] = JSON.parse(key) as [string, ExecutionFilter];
    return countExecutions(this.#options.store.tenant(tenantId), filter);
  });

  constructor(options: ExecutionQueriesOptions) {
    this.#options = options;
  }

  /** Throws `not_found` for an unknown id and for one of another tenant. */
  async find(tenantId: string, id: string): Promise<CachedExecution | ExecutionRow> {
    const { store, cache } = this.#options;
    const cached = cache.get(id);
    if (cached !== undefined && cached.tenantId === tenantId && !store.shared) return cached;
    const row = cached === undefined || store.shared ? await store.tenant(tenantId).execution(id) : null;
    if (row === null) throw executionNotFound(id);
    // On a shared database another runtime may have moved it on, or this one while the row was read.
    const current = store.shared ? cache.get(id) : undefined;
    return current !== undefined && current.run.seq >= row.seq ? current : row;
  }

  async load(tenantId: string, id: string): Promise<CachedExecution> {
    return this.#loaded(await this.find(tenantId, id));
  }

  async execution(tenantId: string, id: string): Promise<ExecutionView> {
    return this.#viewOf(await this.load(tenantId, id));
  }

  async node(tenantId: string, id: string, node: string): Promise<NodeView> {
    const { loaded, run } = await this.load(tenantId, id);
    const { graph } = loaded.program.tables;
    const index = graph.indexOf(node);
    return {
      kind: index === undefined ? null : graph.node(index).kind.type,
      isDeferred: isDeferred(run, node),
      isList: index !== undefined && doesItems(graph.node(index).kind),
      hasEnded: TERMINAL.has(run.status),
      nodeIds: () => graph.nodes.map(({ id }) => id),
    };
  }

  async executions(tenantId: string, request: ExecutionPageRequest): Promise<ExecutionPage> {
    const tenant = this.#options.store.tenant(tenantId);
    const stored = Object.assign(storedFilter(request), { limit: request.limit });
    const { rows, next } = await (request.error === undefined
      ? tenant.executions(stored)
      : pageWithError(tenant, stored, request.error));
    return { executions: rows.map(summaryOf), next };
  }

  async counts(tenantId: string, filter: ExecutionFilter): Promise<ExecutionCounts> {
    return this.#counts.run(JSON.stringify([tenantId, filter]));
  }

  async searchIds(tenantId: string, request: IdSearchRequest): Promise<ExecutionPage> {
    const tenant = this.#options.store.tenant(tenantId);
    const { ids, next } = await tenant.searchIds(request);
    const rows = await Promise.all(ids.map((id) => tenant.execution(id)));
    return { executions: rows.flatMap((row) => (row === null ? [] : [summaryOf(row)])), next };
  }

  async errorGroups(tenantId: string, filter: ExecutionFilter): Promise<ErrorGroups> {
    const tenant = this.#options.store.tenant(tenantId);
    const grouping = new ErrorGrouping();
    let after: string | undefined;
    for (;;) {
      const limit = Math.min(ERROR_PAGE, MAX_GROUPED - grouping.examined);
      const page = Object.assign(storedFilter(filter), after === undefined ? { limit } : { limit, after });
      const { rows, next } = await tenant.executions(page);
      for (const row of rows) grouping.add(summaryOf(row));
      if (next === null || grouping.examined >= MAX_GROUPED) return grouping.result(next !== null);
      after = next;
    }
  }

  settled(tenantId: string, id: string, waitMs = MAX_SETTLED_WAIT_MS, signal?: CancelSignal): Promise<ExecutionView> {
    return this.#until(async (found) => isSettled(statusOf(found)), tenantId, id, waitMs, signal);
  }

  answered(tenantId: string, id: string, waitMs = MAX_SETTLED_WAIT_MS, signal?: CancelSignal): Promise<ExecutionView> {
    const isAnswered = async (found: CachedExecution | ExecutionRow): Promise<boolean> =>
      TERMINAL.has(statusOf(found)) || (statusOf(found) === 'paused' && (await this.#inputNeed(found)) !== null);
    return this.#until(isAnswered, tenantId, id, waitMs, signal);
  }

  async inputNeed(tenantId: string, id: string): Promise<InputNeed | null> {
    return this.#inputNeed(await this.find(tenantId, id));
  }

  async #inputNeed(found: CachedExecution | ExecutionRow): Promise<InputNeed | null> {
    return inputNeedOf(await this.#loaded(found), (tenantId, id) => this.load(tenantId, id));
  }

  /** Waits until the execution, which has settled, is as wanted. */
  async #until(
    isDone: (found: CachedExecution | ExecutionRow) => Promise<boolean>,
    tenantId: string,
    id: string,
    waitMs: number,
    signal: CancelSignal | undefined,
  ): Promise<ExecutionView> {
    const { store, clock, settledExecutions, stopping } = this.#options;
    const untilMs = clock.nowMs() + Math.min(waitMs, MAX_SETTLED_WAIT_MS);
    const isOver = (): boolean => stopping.aborted || signal?.aborted === true || clock.nowMs() >= untilMs;
    let seenSeq = 0;
    for (;;) {
      const next = settledExecutions.nextWakeup(id, signal);
      const cached = isOver() ? null : this.#fromCache(tenantId, id, seenSeq);
      const trustMs = cached !== null && store.shared ? MAX_CACHE_AGE_MS : Number.POSITIVE_INFINITY;
      const cancelTimeout = clock.after(Math.max(0, Math.min(untilMs - clock.nowMs(), trustMs)), next.stop);
      try {
        const found = cached ?? (await this.find(tenantId, id));
        if (isOver() || (await isDone(found))) return await this.#viewOf(await this.#loaded(found));
        seenSeq = 'run' in found ? found.run.seq : found.seq;
        await next.woken;
      } finally {
        cancelTimeout();
        next.stop();
      }
    }
  }

  /**
   * The cached execution, if it answers a caller who has seen it up to `seenSeq` (0 = not at all) and waits for it to settle.
   * Null = the store has to be asked: an execution that had settled before the caller came may have been moved on elsewhere.
   */
  #fromCache(tenantId: string, id: string, seenSeq: number): CachedExecution | null {
    const cached = this.#options.cache.get(id);
    if (cached === undefined || cached.tenantId !== tenantId || cached.run.seq <= seenSeq) return null;
    return seenSeq > 0 || !isSettled(cached.run.status) ? cached : null;
  }

  async approvals(tenantId: string, id: string): Promise<ApprovalsView> {
    const execution = await this.load(tenantId, id);
    const decided: ApprovalDecision[] = [];
    for await (const row of readLog(this.#options.store, id, { type: 'approval_received' })) {
      const { data } = eventOf(row);
      decided.push({
        nodeId: row.nodeId ?? '',
        status: data.decision === 'approved' ? 'approved' : 'rejected',
        userId: String(data.user_id),
        actorId: row.actorId,
        onBehalfOf: row.onBehalfOf,
        comment: typeof data.comment === 'string' ? data.comment : null,
        sequence: row.seq,
        decidedAtMs: row.atMs,
      });
    }
    const { program } = execution.loaded;
    const pending = await redactedInSlices(this.#options.slices.slice(tenantId), () => {
      const { json } = shownRun(program, execution.run);
      return approvalsOf(program, execution.run).map((approval) => {
        const input =
          approval.kind === 'tool'
            ? heldInput(program, execution.run, { node: approval.node_id, item: approval.item }, id)
            : undefined;
        const { tool_name, context } = approval;
        const view = pendingApproval({ ...approval, tool_name: json(tool_name), context: json(context) });
        return input === undefined ? view : Object.assign(view, { input: json(input) });
      });
    });
    return { pending: pending.sort(byNode), decided: decided.sort(byNode) };
  }

  async #viewOf(execution: CachedExecution): Promise<ExecutionView> {
    const currentId = continuedAs(execution.run) === undefined ? null : await this.#lastOfChain(execution);
    return redactedInSlices(this.#options.slices.slice(execution.tenantId), () => viewOf(execution, currentId));
  }

  /** The execution that continues, now, the one with the id; null = none does. */
  async current(tenantId: string, id: string): Promise<string | null> {
    const execution = await this.load(tenantId, id);
    return continuedAs(execution.run) === undefined ? null : this.#lastOfChain(execution);
  }

  /** The execution, or if it began a chain and has been removed since, the last segment. Throws `not_found` as `find` does. */
  async present(tenantId: string, id: string): Promise<string> {
    try {
      return (await this.find(tenantId, id)).id;
    } catch (error) {
      const last = error instanceof RuntimeError && error.code === 'not_found' ? await this.#lastOf(tenantId, {}, id) : null;
      if (last === null) throw error;
      return last;
    }
  }

  #lastOfChain({ id, tenantId, identity }: CachedExecution): Promise<string | null> {
    return this.#lastOf(tenantId, JSON.parse(identity.labels), id);
  }

  /** The last segment of the chain: their ids are in the order of time. */
  async #lastOf(tenantId: string, labels: Readonly<Record<string, string>>, id: string): Promise<string | null> {
    const chain = labelOfChain(labels, id);
    const { rows } = await this.#options.store.tenant(tenantId).executions({ labels: [chain], limit: 1 });
    return rows[0]?.id ?? null;
  }

  async #loaded(found: CachedExecution | ExecutionRow): Promise<CachedExecution> {
    return 'run' in found ? found : this.#options.loader.load(found);
  }
}

export function executionNotFound(id: string): RuntimeError {
  return new RuntimeError('not_found', `execution ${id} not found`);
}

function pendingApproval(approval: MachineApproval): PendingApproval {
  return {
    nodeId: approval.node_id,
    activation: approval.activation,
    ...(approval.item === undefined ? {} : { item: approval.item }),
    kind: approval.kind,
    toolName: approval.tool_name,
    approver: approval.approver,
    context: approval.context,
    sequence: approval.sequence,
    requestedAtMs: approval.requested_at_ms,
  };
}

function byNode(a: { readonly nodeId: string }, b: { readonly nodeId: string }): number {
  return a.nodeId < b.nodeId ? -1 : a.nodeId > b.nodeId ? 1 : 0;
}

function statusOf(found: CachedExecution | ExecutionRow): Status {
  return ('run' in found ? found.run.status : found.status) as Status;
}

/** Is the execution paused, or has it ended? */
export function isSettled(status: Status): boolean {
  return status === 'paused' || TERMINAL.has(status);
}
