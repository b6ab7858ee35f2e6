import { Budget } from '../../../../machines/expression/budget.ts';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import { BUDGET_EXCEEDED, budgetExceededMessage } from '../../../../machines/step/index.ts';
import { toStorableText } from '../../../../machines/unicode.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { NewWorkItem, WorkItemRow } from '../../../../store/port/work-items.ts';
import { type Actor, actorOf } from '../../actor.ts';
import type { Clock } from '../../clock.ts';
import type { Engine } from '../../engine/engine.ts';
import type { MessageOutcome } from '../../engine/envelope.ts';
import { RuntimeError } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import type { Caller } from '../../types/caller.ts';
import type { ClaimWork, CompleteWork, FailWork, WorkItemView } from '../../types/work.ts';
import { LongPolls } from './long-polls.ts';
import type { WorkPayloads } from './work-payloads.ts';

/** How long a claim lasts without a heartbeat. */
export const LEASE_MS = 30_000;
const MAX_CLAIM_ITEMS = 100;
/** Characters of payload after which a claim answers with fewer items than asked for. */
const MAX_CLAIM_CHARS = 16_000_000;
/** How many times more items a claim takes at once than it did before, as long as the payloads turn out small. */
const CLAIM_GROWTH = 4;
const MAX_CLAIM_WAIT_MS = 60_000;
const STALE = 'stale or invalid lease fence';

export interface ExternalWorkOptions {
  readonly store: ExecutionStore;
  readonly loop: Engine;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly payloads: WorkPayloads;
  /** Of what the runtime itself does. */
  readonly origin: Actor;
  /** A lease or deadline was set: it falls due then. */
  readonly dueAt: (atMs: number) => void;
  /** Nothing is handed out for a tenant that is suspended or archived, not even to those who were waiting. */
  readonly isActive: (tenantId: string) => Promise<boolean>;
}

/** Work done by external workers: claims with lease and fence, long polls, results. */
export class ExternalWork {
  readonly #options: ExternalWorkOptions;
  readonly #polls: LongPolls;

  constructor(options: ExternalWorkOptions) {
    this.#options = options;
    this.#polls = new LongPolls(options.clock);
  }

  /** An item was put on a queue. */
  available(tenantId: string, queue: string): void {
    this.#polls.available(tenantId, queue);
  }

  wakeAll(): void {
    this.#polls.wakeAll();
  }

  async claim(caller: Caller, claim: ClaimWork, stopped: () => boolean): Promise<readonly WorkItemView[]> {
    if (claim.queueTypes.length === 0) return [];
    const untilMs = this.#options.clock.nowMs() + Math.min(claim.waitMs ?? 0, MAX_CLAIM_WAIT_MS);
    const queues = new Set(claim.queueTypes);
    for (;;) {
      if (stopped() || claim.signal?.aborted) return [];
      const wait = this.#polls.wait({ tenantId: caller.tenantId, queues }, untilMs, claim.signal);
      let items: readonly WorkItemView[] = [];
      try {
        items = await this.#claimNow(caller, claim);
        if (items.length === 0 && this.#options.clock.nowMs() < untilMs) await wait.woken;
      } finally {
        wait.stop();
      }
      const queue = wait.wokenBy();
      if (items.length > 0 || (queue === null && this.#options.clock.nowMs() >= untilMs)) {
        if (queue !== null) this.available(caller.tenantId, queue);
        return items;
      }
    }
  }

  async #claimNow(caller: Caller, claim: ClaimWork): Promise<readonly WorkItemView[]> {
    if (!(await this.#options.isActive(caller.tenantId))) return [];
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

  async #claimRows(caller: Caller, { workerId, queueTypes }: ClaimWork, limit: number): Promise<readonly WorkItemRow[]> {
    const { store, clock, dueAt } = this.#options;
    const rows = await store.claimWork({
      tenantId: caller.tenantId,
      workerId,
      queues: queueTypes,
      limit,
      leaseMs: LEASE_MS,
      nowMs: clock.nowMs(),
    });
    for (const row of rows) {
      if (row.leaseExpiresAtMs !== null) dueAt(row.leaseExpiresAtMs);
      if (row.deadlineAtMs !== null) dueAt(row.deadlineAtMs);
    }
    return rows;
  }

  /** A claimed item as its worker gets it; null = nobody wants it done any more, or its input is too much work to render. */
  async #startClaimed(
    caller: Caller,
    workerId: string,
    row: WorkItemRow,
  ): Promise<{ readonly view: WorkItemView; readonly chars: number } | null> {
    const { store, loop, payloads } = this.#options;
    if (isOutsideGraph(row)) {
      const execution = await store.execution(row.executionId);
      return execution?.completedAtMs === null ? claimedItem(row, JSON.parse(row.payload) as JsonObject) : null;
    }
    const origin = actorOf(caller, workerId);
    const outcome = await loop.send(row.executionId, { type: 'claimed', ...visitOf(row), workerId }, { actor: origin });
    if ('refused' in outcome) return null;
    const made = await payloads.of(row, outcome.run);
    if ('payload' in made) return claimedItem(row, made.payload);
    const failure = { error: budgetExceededMessage(made.exceeded), errorClass: BUDGET_EXCEEDED, retryable: false };
    await loop.send(
      row.executionId,
      { type: 'fail', ...visitOf(row), ...failure },
      { actor: this.#options.origin, preconditions: { settle: { id: row.id, fence: row.fence } } },
    );
    return null;
  }

  async complete(caller: Caller, id: string, result: CompleteWork): Promise<void> {
    const item = await this.#findOpen(caller, id, result);
    const { output, statePatch, durationMs, usage } = result;
    const message = {
      type: 'done',
      ...visitOf(item),
      output,
      durationMs: durationMs ?? 0,
      ...(statePatch === undefined ? {} : { patch: statePatch }),
      ...(usage === undefined ? {} : { usage }),
    } as const;
    const settle = { id, fence: fenceOf(result.leaseFence) };
    const outcome = await this.#options.loop.send(item.executionId, message, {
      actor: actorOf(caller, workerOf(item, result)),
      preconditions: { settle },
    });
    throwIfStale(outcome);
  }

  async fail(caller: Caller, id: string, failure: FailWork): Promise<void> {
    const item = await this.#findOpen(caller, id, failure);
    const { error, retryable, errorClass, httpStatus } = failure;
    const message = {
      type: 'fail',
      ...visitOf(item),
      error: toStorableText(error),
      retryable: retryable ?? true,
      ...(errorClass === undefined ? {} : { errorClass: toStorableText(errorClass) }),
      ...(httpStatus === undefined ? {} : { httpStatus }),
    } as const;
    const settle = { id, fence: fenceOf(failure.leaseFence) };
    const outcome = await this.#options.loop.send(item.executionId, message, {
      actor: actorOf(caller, workerOf(item, failure)),
      preconditions: { settle },
    });
    throwIfStale(outcome);
  }

  async heartbeat(
    caller: Caller,
    id: string,
    lease: { readonly workerId: string; readonly leaseFence: number },
  ): Promise<{ readonly leaseExpiresAtMs: number }> {
    await this.#find(caller, id);
    const leaseExpiresAtMs = this.#options.clock.nowMs() + LEASE_MS;
    const renewed = await this.#options.store.renewLease({
      tenantId: caller.tenantId,
      id,
      workerId: lease.workerId,
      fence: lease.leaseFence,
      leaseExpiresAtMs,
    });
    if (!renewed) throw new RuntimeError('stale_fence', STALE);
    return { leaseExpiresAtMs };
  }

  /** An item beside the graph. Its lease lapses for good: nobody knows how to do it again. */
  async enqueue(
    caller: Caller,
    { executionId, nodeId, queueType, payload }: { executionId: string; nodeId: string; queueType: string; payload: Json },
  ): Promise<{ readonly workItemId: string }> {
    const createdAtMs = this.#options.clock.nowMs();
    const workItemId = this.#options.ids.workItem(createdAtMs);
    const put: NewWorkItem = {
      id: workItemId,
      nodeId,
      activation: 0,
      attempt: 0,
      maxAttempts: 1,
      queue: queueType,
      payload: JSON.stringify(payload),
      timeoutMs: null,
      createdAtMs,
    };
    const message = { type: 'enqueue', node: nodeId, queue: queueType } as const;
    const outcome = await this.#options.loop.send(executionId, message, { actor: actorOf(caller), workItem: put });
    if (!('refused' in outcome)) return { workItemId };
    if (outcome.refused === 'unknown_node')
      throw new RuntimeError('bad_request', `execution ${executionId} has no node '${nodeId}'`);
    throw new RuntimeError('conflict', `execution ${executionId} has ended; it takes no more work`);
  }

  async #find(caller: Caller, id: string): Promise<WorkItemRow> {
    const item = await this.#options.store.workItem(caller.tenantId, id);
    if (item === null) throw new RuntimeError('not_found', `work item ${id}`);
    return item;
  }

  /** The item, if it is still open under the given fence; the commit checks again. */
  async #findOpen(caller: Caller, id: string, given: CompleteWork | FailWork): Promise<WorkItemRow> {
    const item = await this.#find(caller, id);
    if ('executionId' in given && given.executionId !== undefined && given.executionId !== item.executionId) {
      throw new RuntimeError('bad_request', `work item ${id} belongs to execution ${item.executionId}`);
    }
    if ('nodeId' in given && given.nodeId !== undefined && given.nodeId !== item.nodeId) {
      throw new RuntimeError('bad_request', `work item ${id} belongs to node ${item.nodeId}`);
    }
    const fence = fenceOf(given.leaseFence);
    const open = item.status === 'claimed' || (item.status === 'pending' && fence === null);
    if (!open || (fence !== null && fence !== item.fence)) throw new RuntimeError('stale_fence', STALE);
    return item;
  }
}

/** 0 and absent both mean: settle by id alone. */
function fenceOf(fence: number | undefined): number | null {
  return fence === undefined || fence === 0 ? null : fence;
}

/** The worker that reports: as it says, else the one whose fence it has. */
function workerOf(item: WorkItemRow, given: CompleteWork | FailWork): string | undefined {
  return given.workerId ?? (fenceOf(given.leaseFence) === null ? undefined : (item.workerId ?? undefined));
}

function throwIfStale(outcome: MessageOutcome): void {
  if ('refused' in outcome) throw new RuntimeError('stale_fence', STALE);
}

/** An item beside the graph, which belongs to no visit. */
function isOutsideGraph(item: WorkItemRow): boolean {
  return item.activation === 0;
}

export function visitOf(item: WorkItemRow): { readonly node: string; readonly activation: number; readonly attempt: number } {
  return { node: item.nodeId, activation: item.activation, attempt: item.attempt };
}

/** The characters are those of the payload alone. */
function claimedItem(row: WorkItemRow, payload: JsonObject): { readonly view: WorkItemView; readonly chars: number } {
  return { view: viewOf(row, payload), chars: new Budget(Number.POSITIVE_INFINITY).sizeOf(payload, MAX_CLAIM_CHARS) };
}

function viewOf(row: WorkItemRow, payload: JsonObject): WorkItemView {
  return {
    id: row.id,
    execution_id: row.executionId,
    workflow_id: row.workflowId,
    workflow_version: row.workflowVersion,
    node_id: row.nodeId,
    queue_type: row.queue,
    payload,
    attempt: row.attempt,
    max_attempts: row.maxAttempts,
    lease_fence: row.fence,
    lease_expires_at_ms: row.leaseExpiresAtMs ?? 0,
  };
}
