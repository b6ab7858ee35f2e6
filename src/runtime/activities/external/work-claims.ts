import { Budget } from '../../../../machines/expression/budget.ts';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import type { WorkWrite } from '../../../../store/port/commit.ts';
import type { WorkItemRow } from '../../../../store/port/work-items.ts';
import { actorOf } from '../../actor.ts';
import type { RuntimeContext } from '../../context.ts';
import type { Engine } from '../../engine/engine.ts';
import type { CachedExecution } from '../../engine/loading/cached-execution.ts';
import type { ExecutionLoader } from '../../engine/loading/execution-loader.ts';
import { RuntimeError } from '../../errors.ts';
import type { Quotas } from '../../quotas/quotas.ts';
import { visitOf } from '../../timers/timer-queue.ts';
import type { Traces } from '../../traces.ts';
import type { Caller } from '../../types/caller.ts';
import type { ClaimWork, WorkItemView, WorkJournal } from '../../types/work.ts';
import { idempotencyKeyOf } from '../idempotency-key.ts';
import { LongPolls } from './long-polls.ts';
import { journalOfClaim } from './work-journals.ts';
import type { WorkPayloads } from './work-payloads.ts';

/** How long a claim lasts without a heartbeat. */
export const LEASE_MS = 30_000;
const MAX_CLAIM_ITEMS = 100;
/** Characters of payload after which a claim returns fewer items than asked for. */
const MAX_CLAIM_CHARS = 16_000_000;
/** A claim takes so many times more items at once than before, as long as the payloads are small. */
const CLAIM_GROWTH = 4;
const MAX_CLAIM_WAIT_MS = 60_000;
/** Pairs of a queue and a tool in one claim. */
const MAX_LOOKUPS = 4_000;

export interface WorkClaimsOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'events' | 'stopping' | 'actor'> {
  readonly engine: Engine;
  readonly loader: ExecutionLoader;
  readonly payloads: WorkPayloads;
  readonly traces: Traces;
  readonly quotas: Quotas;
}

/** Hands out work items to external workers: claims with lease and fence, and long polls. */
export class WorkClaims {
  readonly #options: WorkClaimsOptions;
  readonly #polls: LongPolls;

  constructor(options: WorkClaimsOptions) {
    this.#options = options;
    this.#polls = new LongPolls(options.clock);
    const { events, stopping } = options;
    events.on('workQueued', ({ tenantId, queue }) => this.#polls.available(tenantId, { queue, tool: null }));
    events.on('tenantReactivated', () => this.#polls.wakeAll());
    events.on('resync', () => this.#polls.wakeAll());
    stopping.addEventListener('abort', () => this.#polls.wakeAll(), { once: true });
  }

  /** Wakes the long polls that take what was put on a queue. */
  written(tenantId: string, writes: readonly WorkWrite[]): void {
    for (const write of writes) if (write.op === 'put') this.#polls.available(tenantId, write.item);
  }

  async claim(caller: Caller, claim: ClaimWork): Promise<readonly WorkItemView[]> {
    const { clock, stopping } = this.#options;
    if (claim.queueTypes.length === 0) return [];
    checkWidth(claim);
    const untilMs = clock.nowMs() + Math.min(claim.waitMs ?? 0, MAX_CLAIM_WAIT_MS);
    const queues = new Set(claim.queueTypes);
    const tools = claim.tools === undefined ? null : new Set(claim.tools);
    for (;;) {
      if (stopping.aborted || claim.signal?.aborted) return [];
      const poll = this.#polls.wait({ tenantId: caller.tenantId, queues, tools }, untilMs, claim.signal);
      let items: readonly WorkItemView[] = [];
      try {
        items = await this.#claimNow(caller, claim);
        if (items.length === 0 && clock.nowMs() < untilMs) await poll.woken;
      } finally {
        poll.stop();
      }
      const work = poll.wokenBy();
      if (items.length > 0 || (work === null && clock.nowMs() >= untilMs)) {
        // The item that woke this poll may still be there for another.
        if (work !== null) this.#polls.available(caller.tenantId, work);
        return items;
      }
    }
  }

  /** Returns nothing to a tenant that is suspended or archived, not even to workers that were waiting. */
  async #claimNow(caller: Caller, claim: ClaimWork): Promise<readonly WorkItemView[]> {
    if (!(await this.#options.quotas.isActive(caller.tenantId))) return [];
    const wanted = Math.min(Math.max(1, claim.maxItems ?? 1), MAX_CLAIM_ITEMS);
    const items: WorkItemView[] = [];
    let chars = 0;
    for (let limit = 1; ; ) {
      const rows = await this.#claimRows(caller, claim, limit);
      for (const item of await Promise.all(rows.map((row) => this.#startClaimed(caller, claim.workerId, row)))) {
        if (item === null) continue;
        items.push(item.view);
        chars += item.chars;
      }
      if (rows.length < limit) return items;
      const room = items.length === 0 ? wanted : Math.floor(((MAX_CLAIM_CHARS - chars) * items.length) / Math.max(chars, 1));
      limit = Math.min(limit * CLAIM_GROWTH, wanted - items.length, room);
      if (limit < 1) return items;
    }
  }

  async #claimRows(caller: Caller, { workerId, queueTypes, tools }: ClaimWork, limit: number): Promise<readonly WorkItemRow[]> {
    const { store, clock, events } = this.#options;
    const rows = await store.claimWork({
      tenantId: caller.tenantId,
      workerId,
      queues: queueTypes,
      tools: tools ?? null,
      limit,
      leaseMs: LEASE_MS,
      nowMs: clock.nowMs(),
    });
    const isObserved = events.has('workClaimed');
    for (const { leaseExpiresAtMs, deadlineAtMs, queue, createdAtMs } of rows) {
      if (isObserved) events.emit('workClaimed', { tenantId: caller.tenantId, queue, waitedMs: clock.nowMs() - createdAtMs });
      if (leaseExpiresAtMs !== null) events.emit('timerSet', leaseExpiresAtMs);
      if (deadlineAtMs !== null) events.emit('timerSet', deadlineAtMs);
    }
    return rows;
  }

  /** Commits the start of a claimed item; null = the item is not wanted any more, or its input cannot be rendered. */
  async #startClaimed(
    caller: Caller,
    workerId: string,
    row: WorkItemRow,
  ): Promise<{ readonly view: WorkItemView; readonly chars: number } | null> {
    const { engine, loader, payloads, actor } = this.#options;
    if (isOutsideGraph(row)) {
      const execution = await loader.current(row.executionId);
      return execution?.completedAtMs === null ? this.#item(row, execution, JSON.parse(row.payload) as JsonObject) : null;
    }
    const options = { actor: actorOf(caller, workerId) };
    const outcome = await engine.send(row.executionId, { type: 'claimed', ...visitOf(row), workerId }, options);
    if ('refused' in outcome) return null;
    const execution = await loader.current(row.executionId);
    if (execution === null)
      throw new RuntimeError('corrupt', `execution ${row.executionId} of work item ${row.id} not found in the store`);
    const rendered = await payloads.render(row, outcome.run, execution);
    if ('payload' in rendered) return this.#item(row, execution, rendered.payload, journalOfClaim(outcome.run, visitOf(row)));
    const failure = { retryable: false, ...rendered.failure };
    const preconditions = { settle: { id: row.id, fence: row.fence } };
    await engine.send(row.executionId, { type: 'fail', ...visitOf(row), ...failure }, { actor, preconditions });
    return null;
  }

  /** `chars`: the size of the payload, and of the journal. */
  #item(
    row: WorkItemRow,
    execution: CachedExecution,
    payload: JsonObject,
    journal?: WorkJournal,
  ): { readonly view: WorkItemView; readonly chars: number } {
    const traceparent = this.#options.traces.ofAttempt(execution, visitOf(row));
    const view = viewOf(row, execution, payload);
    const sized = [payload, (journal?.results ?? []) as unknown as Json];
    return {
      view: Object.assign(view, traceparent === undefined ? null : { traceparent }, journal === undefined ? null : { journal }),
      chars: new Budget(Number.POSITIVE_INFINITY).sizeOf(sized, MAX_CLAIM_CHARS),
    };
  }
}

/** Was the item enqueued by a client? It belongs to no visit of a node. */
function isOutsideGraph(item: WorkItemRow): boolean {
  return item.activation === 0;
}

function viewOf(row: WorkItemRow, { identity: { startedBy, labels } }: CachedExecution, payload: JsonObject): WorkItemView {
  return {
    id: row.id,
    tenantId: row.tenantId,
    executionId: row.executionId,
    workflowId: row.workflowId,
    workflowVersion: row.workflowVersion,
    nodeId: row.nodeId,
    queueType: row.queue,
    tool: row.tool,
    payload,
    activation: row.activation,
    attempt: row.attempt,
    item: row.item,
    idempotencyKey: isOutsideGraph(row) ? row.id : idempotencyKeyOf({ node: row.nodeId, ...row }),
    startedBy,
    labels: JSON.parse(labels),
    maxAttempts: row.maxAttempts,
    leaseFence: row.fence,
    leaseExpiresAtMs: row.leaseExpiresAtMs ?? 0,
    deadlineAtMs: row.deadlineAtMs,
  };
}

/** Each queue is looked up for each tool. */
function checkWidth({ queueTypes, tools = [] }: ClaimWork): void {
  if (queueTypes.length * tools.length <= MAX_LOOKUPS) return;
  throw new RuntimeError(
    'bad_request',
    `${queueTypes.length} queue_types with ${tools.length} tools are more than ${MAX_LOOKUPS} lookups: claim from fewer queues at once`,
  );
}
