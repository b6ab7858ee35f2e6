import type { Batch, CommitRejection, ExecutionWrite } from '../../../store/port/commit.ts';
import type { ActionContext, ControlAction } from '../../../store/port/control.ts';
import { StoreError } from '../../../store/port/errors.ts';
import type { CommittedExecution, StoreNotification } from '../../../store/port/notifications.ts';
import type { Erasure } from '../../../store/port/resources/erasures.ts';
import type { ClaimRequest, WorkItemRow } from '../../../store/port/work-items.ts';
import { Commits } from './commits.ts';
import { Queries } from './queries.ts';
import { key, Tables } from './tables.ts';
import { Workers } from './workers.ts';

/** Notified of durable changes. */
export interface DatabaseObserver {
  applied(writes: readonly ExecutionWrite[], batch: Batch): void;
  claimed(items: readonly WorkItemRow[]): void;
  /** Sends a notification to the other connections. */
  notify(from: object, notification: StoreNotification): void;
}

/**
 * An in-memory database that implements the store's port: an independent model of the engines, without SQL. Its content survives crashes of
 * simulated processes; transactions are atomic.
 */
export class MemoryDatabase {
  readonly shared: boolean;
  readonly tables = new Tables();
  readonly queries = new Queries(this.tables);
  readonly workers = new Workers(this.tables);
  readonly #commits = new Commits(this.tables);
  readonly #observer: DatabaseObserver | null;

  /** `shared`: several runtimes may use it, as with PostgreSQL; else one at a time, as with SQLite. */
  constructor(shared: boolean, observer: DatabaseObserver | null = null) {
    this.shared = shared;
    this.#observer = observer;
  }

  commit(from: object, batch: Batch): readonly (CommitRejection | null)[] {
    const { refusals, writes } = this.#commits.commit(batch);
    if (writes.length > 0) {
      this.#observer?.applied(writes, batch);
      if (batch.singleProcess !== true) this.#observer?.notify(from, notificationOf(writes));
    }
    return refusals;
  }

  claim(request: ClaimRequest): readonly WorkItemRow[] {
    const items = this.queries.claim(request);
    this.#observer?.claimed(items);
    return items;
  }

  control(from: object, action: ControlAction, { tenantId, atMs, actorId }: ActionContext): void {
    const { revisions, workflows, workflowRevisions, tokens } = this.tables;
    switch (action.type) {
      case 'workflow_registered': {
        const { workflowId, version, revision, source } = action;
        if (!revisions.has(key(tenantId, revision))) revisions.set(key(tenantId, revision), source);
        const registration = ++this.tables.lastRegistration;
        const row = { tenantId, workflowId, version, revision, registration, registeredAtMs: atMs, registeredBy: actorId };
        workflows.set(key(tenantId, workflowId, version), row);
        const at = key(tenantId, workflowId, version, revision);
        const { firstRegisteredAtMs = atMs, firstRegisteredBy = actorId } = workflowRevisions.get(at) ?? {};
        workflowRevisions.set(at, { ...row, firstRegisteredAtMs, firstRegisteredBy });
        break;
      }
      case 'token_created': {
        const { parentId } = action.token;
        const parent = parentId === null ? null : tokens.get(parentId);
        if (parent !== null && (parent?.tenantId !== tenantId || parent.revokedAtMs !== null))
          throw new StoreError('unknown_token', `the token ${parentId} does not exist, or is revoked`);
        tokens.set(action.token.id, action.token);
        break;
      }
      case 'token_revoked': {
        const token = tokens.get(action.id);
        if (token?.tenantId !== tenantId) throw new StoreError('unknown_token', `there is no token "${action.id}"`);
        const revoked = new Set([action.id]);
        // A set visits what is added meanwhile.
        for (const id of revoked) for (const row of tokens.values()) if (row.parentId === id) revoked.add(row.id);
        for (const row of tokens.values())
          if (revoked.has(row.id)) tokens.set(row.id, { ...row, revokedAtMs: row.revokedAtMs ?? atMs });
      }
    }
    this.tables.blocks += 1;
    this.changed(from, tenantId, action.type);
  }

  erase({ executionId, tenantId, seq, snapshot, atMs }: Erasure): 'done' | 'more' | 'needed' {
    const { executions, erasures, inbox, originals } = this.tables;
    const execution = executions.get(executionId);
    if (execution === undefined || erasures.get(executionId)?.erasedAtMs !== null) return 'done';
    if ([...inbox.values()].some(({ toExecutionId }) => toExecutionId === execution.row.parentId)) return 'needed';
    executions.set(executionId, { ...execution, checkpoints: [{ seq, text: snapshot }] });
    for (const [name, original] of originals) {
      if (original.executionId !== executionId) continue;
      originals.delete(name);
      this.tables.erasedOriginals.set(name, original);
    }
    erasures.set(executionId, { executionId, tenantId, erasedAtMs: atMs });
    return 'done';
  }

  /** Notifies the other connections of a change of the control plane. */
  changed(from: object, tenantId: string, type: string): void {
    this.#observer?.notify(from, { ...NOTHING, control: [{ tenantId, type }] });
  }

  announceGap(from: object): void {
    this.#observer?.notify(from, { ...NOTHING, gap: true });
  }
}

export const NOTHING: StoreNotification = {
  executions: [],
  dueAtMs: null,
  queues: [],
  inbox: false,
  control: [],
  gap: false,
  commitsLost: false,
};

function notificationOf(writes: readonly ExecutionWrite[]): StoreNotification {
  const due: number[] = [];
  const executions = writes.map(({ tenantId, id, create, revive, progress: head, timers }): CommittedExecution => {
    for (const deadline of [create?.deadlineAtMs, revive?.deadlineAtMs]) if (typeof deadline === 'number') due.push(deadline);
    for (const timer of timers) if (timer.op === 'set') due.push(timer.atMs);
    const began = create !== null || revive !== undefined;
    return { tenantId, id, seq: head.seq, started: began, ended: head.completedAtMs !== null, owner: head.owner };
  });
  const queues = writes.flatMap(({ tenantId, work }) =>
    work.flatMap((each) => (each.op === 'put' ? [{ tenantId, queue: each.item.queue }] : [])),
  );
  const inbox = writes.some(({ send }) => send.length > 0);
  return { ...NOTHING, executions, dueAtMs: due.length === 0 ? null : Math.min(...due), queues, inbox };
}
