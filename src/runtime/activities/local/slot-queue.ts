import { ChurnMap, ChurnSet } from '../../../../store/churn-map.ts';
import type { Clock } from '../../clock.ts';
import { DeadlineTimer } from '../../timers/deadline-timer.ts';
import type { ActivityTask } from './activity-task.ts';
import type { Slots } from './slots.ts';

export interface SlotQueueOptions {
  readonly slots: Slots<ActivityTask>;
  readonly clock: Clock;
  readonly maxWaitMs: number;
  /** May work of the tenant start? While it may not, its waiting time does not count. */
  readonly isActive: (tenantId: string) => boolean;
  /** Called with a task that has waited for too long and was removed. */
  readonly onExpired: (task: ActivityTask) => void;
}

export interface WaitingTasks {
  readonly count: number;
  /** Milliseconds since the epoch; null = none waits. */
  readonly oldestSinceMs: number | null;
}

/** In-process attempts that wait for a slot, with a limit on how long. */
export class SlotQueue {
  readonly #options: SlotQueueOptions;
  readonly #timer: DeadlineTimer;
  /** By tenant, in the order in which the waiting time began. */
  readonly #tenants = new ChurnMap<string, ChurnSet<ActivityTask>>();
  #count = 0;

  constructor(options: SlotQueueOptions) {
    this.#options = options;
    this.#timer = new DeadlineTimer(options.clock, () => this.#expire());
  }

  all(): WaitingTasks {
    let oldestSinceMs: number | null = null;
    for (const tasks of this.#tenants.values()) oldestSinceMs = earlier(oldestSinceMs, oldestOf(tasks));
    return { count: this.#count, oldestSinceMs };
  }

  of(tenantId: string): WaitingTasks {
    const tasks = this.#tenants.get(tenantId);
    return tasks === undefined ? { count: 0, oldestSinceMs: null } : { count: tasks.size, oldestSinceMs: oldestOf(tasks) };
  }

  add(task: ActivityTask): void {
    const { clock, maxWaitMs, slots } = this.#options;
    task.waitsSinceMs = clock.nowMs();
    const tasks = this.#tenants.get(task.tenantId) ?? new ChurnSet();
    this.#tenants.set(task.tenantId, tasks);
    tasks.add(task);
    this.#count += 1;
    slots.wait(task.tenantId, task.executionId, task);
    this.#timer.scheduleAt(task.waitsSinceMs + maxWaitMs);
  }

  /** Does nothing when the task does not wait. */
  remove(task: ActivityTask): void {
    if (this.#delete(task)) this.#options.slots.leave(task.tenantId, task.executionId, task);
  }

  /** The next task to start, with its slot taken; null = none. */
  next(): ActivityTask | null {
    const task = this.#options.slots.next();
    if (task !== null) this.#delete(task);
    return task;
  }

  /** The tenant's work may start again; its waiting time starts anew. */
  reopen(tenantId: string): void {
    const { slots, clock, maxWaitMs } = this.#options;
    const nowMs = clock.nowMs();
    slots.reopen(tenantId);
    for (const task of this.#tenants.get(tenantId) ?? []) task.waitsSinceMs = nowMs;
    if (this.#count > 0) this.#timer.scheduleAt(nowMs + maxWaitMs);
  }

  /** Removes and returns all waiting tasks. */
  stop(): readonly ActivityTask[] {
    this.#timer.stop();
    const all = [...this.#tenants.values()].flatMap((tasks) => [...tasks]);
    for (const task of all) this.remove(task);
    return all;
  }

  #delete(task: ActivityTask): boolean {
    const tasks = this.#tenants.get(task.tenantId);
    if (tasks?.delete(task) !== true) return false;
    if (tasks.size === 0) this.#tenants.delete(task.tenantId);
    this.#count -= 1;
    task.waitsSinceMs = null;
    return true;
  }

  #expire(): void {
    const { clock, maxWaitMs, isActive, onExpired } = this.#options;
    const nowMs = clock.nowMs();
    let next: number | null = null;
    for (const [tenantId, tasks] of [...this.#tenants]) {
      if (!isActive(tenantId)) continue;
      for (const task of tasks) {
        const atMs = (task.waitsSinceMs ?? nowMs) + maxWaitMs;
        if (atMs > nowMs) {
          next = earlier(next, atMs);
          break;
        }
        this.remove(task);
        onExpired(task);
      }
    }
    if (next !== null) this.#timer.scheduleAt(next);
  }
}

function oldestOf(tasks: Iterable<ActivityTask>): number | null {
  const [oldest] = tasks;
  return oldest?.waitsSinceMs ?? null;
}

function earlier(one: number | null, other: number | null): number | null {
  return one === null || (other !== null && other < one) ? other : one;
}
