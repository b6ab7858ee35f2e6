import type { JsonObject } from '../../../machines/json.ts';
import type { RuntimeProcess } from '../environment/runtime-process.ts';
import type { Scheduler } from '../environment/scheduler.ts';
import type { Fault, Plan } from '../plan.ts';
import type { MemoryDatabase } from '../store/memory-database.ts';
import type { StoredExecution } from '../store/tables.ts';
import { itemText, type OnlineChecker } from './online-checker.ts';

const EVERY_MS = 500;
/** Time for notifications, reads and commits without faults. Shorter than the interval at which processes read the store again. */
const LATEST_MS = 5_000;
/** Requests, replies and commits that were slow when the faults ended take at most so long. */
const SLOWEST_MS = 45_000;
/** Requests and replies, one after the other, between what is freed and what starts. */
const MESSAGES = 20;

/** Faults that delay nothing at processes that are up. */
const LOCAL: ReadonlySet<Fault['kind']> = new Set(['crash', 'stop', 'freeze']);

/**
 * Checks, while there are no faults, or processes only end or freeze, that nothing waits for what is free: no attempt for a slot of its process, and no child for the capacity of
 * the tenant.
 */
export class CapacityCheck {
  readonly #plan: Plan;
  readonly #scheduler: Scheduler;
  readonly #database: MemoryDatabase;
  readonly #processes: readonly RuntimeProcess[];
  readonly #checker: OnlineChecker;
  /** What waits for something free, and since when it is seen. */
  readonly #sinceMs = new Map<string, number>();
  readonly #healthy = new Set<string>();
  readonly #reported = new Set<string>();

  constructor(
    plan: Plan,
    scheduler: Scheduler,
    database: MemoryDatabase,
    processes: readonly RuntimeProcess[],
    checker: OnlineChecker,
  ) {
    this.#plan = plan;
    this.#scheduler = scheduler;
    this.#database = database;
    this.#processes = processes;
    this.#checker = checker;
  }

  /** From the beginning, unless there are other faults; else from the end of the faults. */
  start(faultsOver: boolean): void {
    const { faults, latency } = this.#plan;
    const isCalm = latency.slow === 0 && faults.every(({ kind }) => LOCAL.has(kind));
    if (isCalm && !faultsOver) this.#run();
    if (!isCalm && faultsOver) this.#scheduler.schedule(SLOWEST_MS, null, 'slow replies have arrived', () => this.#run());
  }

  #run(): void {
    this.#scheduler.schedule(EVERY_MS, null, 'looks for what waits for free capacity', () => {
      this.#check(this.#scheduler.nowMs);
      this.#run();
    });
  }

  #check(nowMs: number): void {
    this.#healthy.clear();
    for (const { isUp, incarnation } of this.#processes)
      if (isUp && incarnation !== null && incarnation.frozenUntilMs <= nowMs) this.#healthy.add(incarnation.id);
    const waiting = this.#isActive() ? [...this.#attempts(), ...this.#children()] : [];
    for (const what of this.#sinceMs.keys()) if (!waiting.includes(what)) this.#sinceMs.delete(what);
    for (const what of waiting) {
      const sinceMs = this.#sinceMs.get(what) ?? nowMs;
      this.#sinceMs.set(what, sinceMs);
      if (nowMs < sinceMs + LATEST_MS + MESSAGES * this.#plan.latency.usualMs || this.#reported.has(what)) continue;
      this.#reported.add(what);
      this.#checker.addViolation(`${what} since ${sinceMs}`);
    }
  }

  #isActive(): boolean {
    return [...this.#database.tables.tenants.values()].every(({ status }) => status === 'active');
  }

  #attempts(): readonly string[] {
    return this.#processes.flatMap(({ runtime, incarnation }) => {
      if (runtime === null || !this.#healthy.has(incarnation?.id ?? '')) return [];
      const { running, waiting } = runtime.load().inProcess;
      return waiting > 0 && running === 0 ? [`attempts wait for a slot of ${incarnation?.id}, and none runs there,`] : [];
    });
  }

  #children(): readonly string[] {
    const { maxLive } = this.#plan.options;
    if (maxLive === null) return [];
    const executions = [...this.#database.tables.executions.values()];
    const live = executions.filter(({ row }) => row.completedAtMs === null);
    if (live.length >= maxLive) return [];
    return live
      .filter(({ row }) => this.#healthy.has(row.owner ?? ''))
      .flatMap((execution) =>
        waitingChildren(execution).map(
          (node) => `${execution.row.id}'s child of ${node} waits for capacity at ${execution.row.owner}`,
        ),
      );
  }
}

/** The nodes whose child waits for capacity, by the log. */
function waitingChildren({ events }: StoredExecution): readonly string[] {
  const nodes = new Set<string>();
  let isPaused = false;
  for (const { type, nodeId, data } of events) {
    if (type === 'workflow_paused' || type === 'workflow_resumed') isPaused = type === 'workflow_paused';
    const { activation, item } = JSON.parse(data) as JsonObject;
    if (nodeId === null || activation === 0) continue;
    const name = nodeId + itemText(item);
    if (type === 'map_completed') for (const each of nodes) if (each.startsWith(`${nodeId} `)) nodes.delete(each);
    if (type === 'child_workflow_waiting') nodes.add(name);
    else nodes.delete(name);
  }
  return isPaused ? [] : [...nodes];
}
