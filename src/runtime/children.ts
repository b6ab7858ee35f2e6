import { setImmediate } from 'node:timers/promises';
import type { JsonObject } from '../../machines/json.ts';
import type { Message, Visit } from '../../machines/messages.ts';
import type { Status } from '../../machines/run.ts';
import { BUDGET_EXCEEDED, budgetExceeded, stateOf, workOf } from '../../machines/step.ts';
import { StoreError } from '../../store/errors.ts';
import type { ExecutionRow, InboxRow } from '../../store/rows.ts';
import type { Store } from '../../store/store.ts';
import { WorkError } from '../executors/executor.ts';
import { Alarm } from './alarm.ts';
import { birthOf } from './birth.ts';
import type { Clock } from './clock.ts';
import { type Descendants, ROOT } from './descendants.ts';
import type { Birth, Conditions } from './envelope.ts';
import { RuntimeError } from './errors.ts';
import type { Hot } from './hot.ts';
import type { Ids } from './ids.ts';
import type { Loop } from './loop.ts';
import type { Origin } from './origin.ts';
import type { Programs } from './programs.ts';
import type { TimeSlices } from './time-slices.ts';

/** Subgraphs inside subgraphs, at most. */
const MAX_DEPTH = 16;
const INBOX_PAGE = 200;
/** Messages delivered between two turns of the event loop. */
const INBOX_SLICE = 20;
/** What is left to others for so long is done here. */
const OTHERS_MS = 2_000;

/** Labels that tell a child which visit of its parent it works for. */
const PARENT_NODE = 'jamjet.parent.node';
const PARENT_ACTIVATION = 'jamjet.parent.activation';
const PARENT_ATTEMPT = 'jamjet.parent.attempt';

export interface ChildrenOptions {
  readonly store: Store;
  readonly programs: Programs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly loop: Loop;
  /** Inputs are rendered in slices of time. */
  readonly slices: TimeSlices;
  readonly origin: Origin;
  readonly descendants: Descendants;
  /** Reads an execution, in memory or not; null = unknown. */
  readonly read: (executionId: string) => Promise<Hot | null>;
  /** Delivers a message whatever the store does meanwhile; resolves when it has been taken or refused, or the runtime stops. */
  readonly deliver: (executionId: string, message: Message, conditions?: Conditions) => Promise<unknown>;
  /** Is this the runtime to deliver an execution's messages, of those that are there? */
  readonly isMine: (executionId: string) => boolean;
  readonly insist: <T>(attempt: () => Promise<T>) => Promise<T | null>;
  readonly failed: (error: unknown) => void;
}

/** Child executions, and the durable messages between parents and children. */
export class Children {
  readonly #options: ChildrenOptions;
  readonly #later: Alarm;
  /** How far the inbox was delivered, where ids are given in the order of commits. */
  #delivered = 0;
  /** Elsewhere: what is being delivered, and when what was left to others was seen first. */
  readonly #underWay = new Set<number>();
  readonly #seenAtMs = new Map<number, number>();
  #draining: Promise<void> | null = null;
  #again = false;

  constructor(options: ChildrenOptions) {
    this.#options = options;
    this.#later = new Alarm(options.clock, () => this.drain());
  }

  stop(): void {
    this.#later.stop();
  }

  /**
   * Starts the child of a subgraph node. Child and `started` message are one unit: either the parent has a child or there
   * is none. A workflow that is not registered, or nesting too deep, fails the node for good.
   */
  async spawn(parent: Hot, visit: Visit): Promise<void> {
    try {
      const child = await this.#birth(parent, visit);
      const message: Message = {
        type: 'child',
        ...visit,
        childId: child.id,
        childWorkflowId: child.workflowId,
        change: { status: 'started' },
      };
      await this.#options.loop.send(parent.id, message, { origin: this.#options.origin }, child);
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

  async #birth(parent: Hot, visit: Visit): Promise<Birth> {
    const kind = parent.loaded.kindOf(visit.node);
    if (kind?.type !== 'subgraph') throw new RuntimeError('corrupt', `node ${visit.node} is no subgraph`);
    if (parent.depth + 1 > MAX_DEPTH) throw new RuntimeError('bad_request', `subgraphs are nested more than ${MAX_DEPTH} deep`);
    const root = rootOf(parent);
    await this.#options.descendants.admit(parent.tenantId, root);
    const revision = await this.#options.store.tenant(parent.tenantId).revisionOf(kind.workflow_ref, kind.workflow_version);
    if (revision === null) {
      const version = kind.workflow_version === undefined ? '' : ` v${kind.workflow_version}`;
      throw new RuntimeError('not_found', `workflow ${kind.workflow_ref}${version} is not registered`);
    }
    const loaded = await this.#options.programs.load(parent.tenantId, revision);
    await this.#options.slices.slice(parent.tenantId).next();
    const { input, inputErrors, inputExceeded } = workOf(parent.loaded.program, parent.run, visit.node, {
      executionId: parent.id,
      vars: parent.loaded.vars,
    });
    if (inputExceeded !== undefined)
      throw new WorkError(budgetExceeded(inputExceeded), { retryable: false, errorClass: BUDGET_EXCEEDED });
    if (inputErrors.length > 0) throw new RuntimeError('bad_request', `the input cannot be rendered: ${inputErrors.join('; ')}`);
    const nowMs = this.#options.clock.nowMs();
    return birthOf({
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
        [ROOT]: root,
      },
    });
  }

  /** Delivers what lies in the inbox; called after commits that put something there, and once at start. */
  drain(): void {
    if (this.#draining !== null) {
      this.#again = true;
      return;
    }
    this.#draining = this.#drain()
      .catch(this.#options.failed)
      .finally(() => {
        this.#draining = null;
        if (this.#again) {
          this.#again = false;
          this.drain();
        }
      });
  }

  async #drain(): Promise<void> {
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
        if (!store.shared || this.#isTurnOf(row)) await this.#deliver(row);
        // Each may have to be loaded first: thousands that a cancel is passed on to must not keep everybody waiting.
        if ((i + 1) % INBOX_SLICE === 0) await setImmediate();
      }
    }
    for (const id of this.#seenAtMs.keys()) if (!inbox.has(id)) this.#seenAtMs.delete(id);
  }

  async #deliver(row: InboxRow): Promise<void> {
    const { store, insist, deliver } = this.#options;
    if (store.shared) this.#underWay.add(row.id);
    const message = await insist(() => this.#messageOf(row));
    const delivered = message === null ? Promise.resolve() : deliver(row.toExecutionId, message, { consume: row.id });
    if (store.shared) void delivered.finally(() => this.#underWay.delete(row.id));
  }

  /**
   * On a shared database a smaller id may be committed later, so the whole inbox is read each time; and others read it too. What
   * belongs to somebody else is his, unless it is still there after a while.
   */
  #isTurnOf({ id, toExecutionId }: InboxRow): boolean {
    const { clock, isMine } = this.#options;
    if (this.#underWay.has(id)) return false;
    const nowMs = clock.nowMs();
    const seenAtMs = this.#seenAtMs.get(id) ?? nowMs;
    if (isMine(toExecutionId) || nowMs >= seenAtMs + OTHERS_MS) return true;
    this.#seenAtMs.set(id, seenAtMs);
    this.#later.noLaterThan(seenAtMs + OTHERS_MS);
    return false;
  }

  async #messageOf(row: InboxRow): Promise<Message> {
    const stored = storedIn(row);
    if (stored.type === 'cancel') return stored;
    const { child, change } = await this.#newsOf(stored);
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
  async #newsOf({ childId, status }: ChildStatus): Promise<{ readonly child: Hot | ExecutionRow; readonly change: Change }> {
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
type Change = (Message & { type: 'child' })['change'];

function storedIn({ id, message }: InboxRow): ChildStatus | { readonly type: 'cancel'; readonly reason: string } {
  try {
    return JSON.parse(message) as ReturnType<typeof storedIn>;
  } catch (cause) {
    throw new RuntimeError('corrupt', `message ${id} of the inbox cannot be read`, { cause });
  }
}

function changeOf(status: Status, child: Hot): Change {
  if (status === 'running' || status === 'paused') return { status };
  if (status === 'completed') return { status, result: stateOf(child.run) };
  return { status: 'failed', error: child.error ?? `child execution ${child.id} ended as ${status}` };
}

/** Of trees that an earlier release began, only a part may be known. */
function rootOf({ id, parentId, labels }: Hot): string {
  return parentId === null ? id : ((JSON.parse(labels) as Readonly<Record<string, string>>)[ROOT] ?? id);
}
