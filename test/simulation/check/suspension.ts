import type { JsonObject } from '../../../machines/json.ts';
import type { ExecutionWrite } from '../../../store/port/commit.ts';
import type { WorkItemRow } from '../../../store/port/work-items.ts';
import type { Suspensions } from '../environment/suspensions.ts';
import type { Plan } from '../plan.ts';
import type { MemoryDatabase } from '../store/memory-database.ts';
import type { OnlineChecker } from './online-checker.ts';

/** How long it takes until all processes know of a suspension, and what they had begun before is done; without faults. */
const KNOWN_AFTER_MS = 500;
/** Requests and replies, one after the other, of what had begun before. */
const MESSAGES = 20;

/** Checks that nothing is started for a tenant that is suspended: no execution, no child, and no attempt in process or at a worker. */
export class SuspensionCheck {
  readonly #suspensions: Suspensions;
  readonly #database: MemoryDatabase;
  readonly #checker: OnlineChecker;
  readonly #isCalm: boolean;
  readonly #knownAfterMs: number;

  constructor({ faults, latency }: Plan, suspensions: Suspensions, database: MemoryDatabase, checker: OnlineChecker) {
    this.#database = database;
    this.#suspensions = suspensions;
    this.#checker = checker;
    this.#isCalm = faults.length === 0 && latency.slow === 0;
    this.#knownAfterMs = KNOWN_AFTER_MS + MESSAGES * latency.usualMs;
  }

  onCommit(writes: readonly ExecutionWrite[], nowMs: number): void {
    if (!this.#isKnown(nowMs)) return;
    for (const { id, create, events } of writes) {
      // The next segment of an execution continues it.
      if (create !== null && !create.labels.includes('jamjet.segment')) this.#report(`${id} starts`);
      for (const { type, nodeId, data } of events)
        if (type === 'node_started' && nodeId !== null && isInProcess(data) && this.#isWork(id, nodeId))
          this.#report(`an attempt of ${nodeId} of ${id} starts`);
    }
  }

  onClaim(items: readonly WorkItemRow[], nowMs: number): void {
    if (this.#isKnown(nowMs)) for (const { id } of items) this.#report(`a worker gets ${id}`);
  }

  /** A node with a child is started although its child is not. */
  #isWork(executionId: string, node: string): boolean {
    const events = this.#database.tables.executions.get(executionId)?.events ?? [];
    const has = (wanted: string): boolean => events.some(({ type, nodeId }) => type === wanted && nodeId === node);
    // After a failed attempt, it is scheduled like other nodes.
    return has('node_scheduled') && !has('child_workflow_started') && !has('child_workflow_waiting');
  }

  #isKnown(nowMs: number): boolean {
    const { sinceMs } = this.#suspensions;
    return this.#isCalm && sinceMs !== null && nowMs > sinceMs + this.#knownAfterMs;
  }

  #report(what: string): void {
    this.#checker.addViolation(`${what}, and the tenant has been suspended since ${this.#suspensions.sinceMs}`);
  }
}

function isInProcess(data: JsonObject): boolean {
  return typeof data.worker_id === 'string' && data.worker_id.startsWith('rt');
}
