import { setImmediate } from 'node:timers/promises';
import type { JsonObject } from '../../../../machines/json.ts';
import type { Message, Visit } from '../../../../machines/messages.ts';
import { definitionOf } from '../../../../machines/nodes/index.ts';
import type { Status } from '../../../../machines/run.ts';
import { BUDGET_EXCEEDED, budgetExceededMessage, stateOf, workOf } from '../../../../machines/step/index.ts';
import { StoreError } from '../../../../store/port/errors.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { ExecutionRow, InboxRow } from '../../../../store/port/executions.ts';
import { WorkError } from '../../../executors/executor.ts';
import type { Actor } from '../../actor.ts';
import type { Clock } from '../../clock.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ExecutionStart, Preconditions } from '../../engine/envelope.ts';
import { executionStart } from '../../engine/execution-start.ts';
import type { CachedExecution } from '../../engine/loading/execution-cache.ts';
import type { WorkflowCache } from '../../engine/loading/workflow-cache.ts';
import { RuntimeError } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import type { TimeSlices } from '../../scheduling/time-slices.ts';
import { DeadlineTimer } from '../../timers/deadline-timer.ts';
import { type Descendants, ROOT_LABEL } from './descendants.ts';

/** Subgraphs inside subgraphs, at most. */
const MAX_DEPTH = 16;
const INBOX_PAGE = 200;
/** Messages delivered between two turns of the event loop. */
const INBOX_SLICE = 20;
/** What is left to others for so long is done here. */
const TAKE_OVER_AFTER_MS = 2_000;

/** Labels that tell a child which visit of its parent it works for. */
const PARENT_NODE = 'jamjet.parent.node';
const PARENT_ACTIVATION = 'jamjet.parent.activation';
const PARENT_ATTEMPT = 'jamjet.parent.attempt';

export interface ChildrenOptions {
  readonly store: ExecutionStore;
  readonly programs: WorkflowCache;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly loop: Engine;
  /** Inputs are rendered in slices of time. */
  readonly slices: TimeSlices;
  readonly origin: Actor;
  readonly descendants: Descendants;
  /** Reads an execution, in memory or not; null = unknown. */
  readonly read: (executionId: string) => Promise<CachedExecution | null>;
  /** Delivers a message whatever the store does meanwhile; resolves when it has been taken or refused, or the runtime stops. */
  readonly deliver: (executionId: string, message: Message, conditions?: Preconditions) => Promise<unknown>;
  /** Is this the runtime to deliver an execution's messages, of those that are there? */
  readonly isMine: (executionId: string) => boolean;
  readonly insist: <T>(attempt: () => Promise<T>) => Promise<T | null>;
  readonly failed: (error: unknown) => void;
}

/** Child executions, and the durable messages between parents and children. */
export class Children {
  readonly #options: ChildrenOptions;
  readonly #retryTimer: DeadlineTimer;
  /** How far the inbox was delivered, where ids are given in the order of commits. */
  #delivered = 0;
  /** Elsewhere: what is being delivered, and when what was left to others was seen first. */
  readonly #delivering = new Set<number>();
  readonly #seenAtMs = new Map<number, number>();
  #draining: Promise<void> | null = null;
  #again = false;

  constructor(options: ChildrenOptions) {
    this.#options = options;
    this.#retryTimer = new DeadlineTimer(options.clock, () => this.drainInbox());
  }

  stop(): void {
    this.#retryTimer.stop();
  }

  /**
   * Starts the child of a subgraph node. Child and `started` message are one unit: either the parent has a child or there
   * is none. A workflow that is not registered, or nesting too deep, fails the node for good.
   */
  async spawn(parent: CachedExecution, visit: Visit): Promise<void> {
    try {
      const child = await this.#childStart(parent, visit);
      const message: Message = {
        type: 'child',
        ...visit,
        childId: child.id,
        childWorkflowId: child.workflowId,
        change: { status: 'started' },
      };
      await this.#options.loop.send(parent.id, message, { actor: this.#options.origin }, child);
    } catch (error) {
      if (error instanceof StoreError || (error instanceof RuntimeError && error.code === 'overloaded')) throw error;
      // What is no refusal is a defect, which another try would meet again.
      if (!(error instanceof RuntimeError || error instanceof WorkError)) this.#options.failed(error);
      void this.#options.deliver(parent.id, {
        type: 'fail',
        ...visit,
        error: error instanceof Error ? error.message : String(error),
        errorClass: (error instanceof WorkError ? error.errorClass : null) ?? 'validation',
        retryable: false,
      });
    }
  }

  async #childStart(parent: CachedExecution, visit: Visit): Promise<ExecutionStart> {
    const kind = parent.loaded.kindOf(visit.node);
    const workflow = kind === null ? null : definitionOf(kind).childWorkflow(kind);
    if (workflow === null) throw new RuntimeError('corrupt', `node ${visit.node} runs no child execution`);
    if (parent.depth + 1 > MAX_DEPTH) throw new RuntimeError('bad_request', `subgraphs are nested more than ${MAX_DEPTH} deep`);
    const root = rootOf(parent);
    await this.#options.descendants.admit(parent.tenantId, root);
    const revision = await this.#options.store.tenant(parent.tenantId).revisionOf(workflow.ref, workflow.version);
    if (revision === null) {
      const version = workflow.version === undefined ? '' : ` v${workflow.version}`;
      throw new RuntimeError('not_found', `workflow ${workflow.ref}${version} is not registered`);
    }
    const loaded = await this.#options.programs.load(parent.tenantId, revision);
    await this.#options.slices.slice(parent.tenantId).next();
    const { input, inputErrors, inputExceeded } = workOf(parent.loaded.program, parent.run, visit.node, {
      executionId: parent.id,
      vars: parent.loaded.vars,
    });
    if (inputExceeded !== undefined)
      throw new WorkError(budgetExceededMessage(inputExceeded), { retryable: false, errorClass: BUDGET_EXCEEDED });
    if (inputErrors.length > 0) throw new RuntimeError('bad_request', `the input cannot be rendered: ${inputErrors.join('; ')}`);
    const nowMs = this.#options.clock.nowMs();
    return executionStart({
      id: this.#options.ids.execution(nowMs),
      tenantId: parent.tenantId,
      loaded,
      startedBy: parent.startedBy,
      input,
      nowMs,
      parent: { id: parent.id, depth: parent.depth },
      labels: {
        [PARENT_NODE]: visit.node,
        [PARENT_ACTIVATION]: String(visit.activation),
        [PARENT_ATTEMPT]: String(visit.attempt),
        [ROOT_LABEL]: root,
      },
    });
  }

  /** Delivers what lies in the inbox; called after commits that put something there, and once at start. */
  drainInbox(): void {
    if (this.#draining !== null) {
      this.#again = true;
      return;
    }
    this.#draining = this.#drainOnce()
      .catch(this.#options.failed)
      .finally(() => {
        this.#draining = null;
        if (this.#again) {
          this.#again = false;
          this.drainInbox();
        }
      });
  }

  async #drainOnce(): Promise<void> {
    const { store } = this.#options;
    const inbox = new Set<number>();
    let after = store.shared ? 0 : this.#delivered;
    for (;;) {
      const rows = await store.inbox({ after, limit: INBOX_PAGE });
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.id;
      this.#delivered = after;
      // One after the other into the mailboxes, so that a parent hears its children's news in order.
      for (const [i, row] of rows.entries()) {
        inbox.add(row.id);
        if (!store.shared || this.#shouldDeliver(row)) await this.#deliver(row);
        // Each may have to be loaded first: thousands that a cancel is passed on to must not keep everybody waiting.
        if ((i + 1) % INBOX_SLICE === 0) await setImmediate();
      }
    }
    for (const id of this.#seenAtMs.keys()) if (!inbox.has(id)) this.#seenAtMs.delete(id);
  }

  async #deliver(row: InboxRow): Promise<void> {
    const { store, insist, deliver } = this.#options;
    if (store.shared) this.#delivering.add(row.id);
    const message = await insist(() => this.#messageOf(row));
    const delivered = message === null ? Promise.resolve() : deliver(row.toExecutionId, message, { inboxId: row.id });
    if (store.shared) void delivered.finally(() => this.#delivering.delete(row.id));
  }

  /**
   * On a shared database a smaller id may be committed later, so the whole inbox is read each time; and others read it too. What
   * belongs to somebody else is his, unless it is still there after a while.
   */
  #shouldDeliver({ id, toExecutionId }: InboxRow): boolean {
    const { clock, isMine } = this.#options;
    if (this.#delivering.has(id)) return false;
    const nowMs = clock.nowMs();
    const seenAtMs = this.#seenAtMs.get(id) ?? nowMs;
    if (isMine(toExecutionId) || nowMs >= seenAtMs + TAKE_OVER_AFTER_MS) return true;
    this.#seenAtMs.set(id, seenAtMs);
    this.#retryTimer.scheduleAt(seenAtMs + TAKE_OVER_AFTER_MS);
    return false;
  }

  async #messageOf(row: InboxRow): Promise<Message> {
    const stored = parseStored(row);
    if (stored.type === 'cancel') return stored;
    const { child, change } = await this.#changeOf(stored);
    const labels = JSON.parse(child.labels) as JsonObject;
    return {
      type: 'child',
      node: String(labels[PARENT_NODE]),
      activation: Number(labels[PARENT_ACTIVATION]),
      attempt: Number(labels[PARENT_ATTEMPT]),
      childId: child.id,
      childWorkflowId: child.workflowId,
      change,
    };
  }

  /** The parent of a child that cannot be loaded must not wait for it for ever: it has failed. */
  async #changeOf({
    childId,
    status,
  }: ChildStatus): Promise<{ readonly child: CachedExecution | ExecutionRow; readonly change: ChildChange }> {
    const { store, read } = this.#options;
    try {
      const child = await read(childId);
      if (child !== null) return { child, change: changeOf(status, child) };
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code !== 'corrupt') throw error;
      const child = await store.execution(childId);
      if (child !== null) return { child, change: { status: 'failed', error: error.message } };
    }
    throw new RuntimeError('corrupt', `child execution ${childId} is not in the store`);
  }
}

type ChildStatus = { readonly type: 'child_status'; readonly childId: string; readonly status: Status };
type ChildChange = (Message & { type: 'child' })['change'];

function parseStored({ id, message }: InboxRow): ChildStatus | { readonly type: 'cancel'; readonly reason: string } {
  try {
    return JSON.parse(message) as ReturnType<typeof parseStored>;
  } catch (cause) {
    throw new RuntimeError('corrupt', `message ${id} of the inbox cannot be read`, { cause });
  }
}

function changeOf(status: Status, child: CachedExecution): ChildChange {
  if (status === 'running' || status === 'paused') return { status };
  if (status === 'completed') return { status, result: stateOf(child.run) };
  return { status: 'failed', error: child.error ?? `child execution ${child.id} ended as ${status}` };
}

/** Of trees that an earlier release began, only a part may be known. */
function rootOf({ id, parentId, labels }: CachedExecution): string {
  return parentId === null ? id : ((JSON.parse(labels) as Readonly<Record<string, string>>)[ROOT_LABEL] ?? id);
}
