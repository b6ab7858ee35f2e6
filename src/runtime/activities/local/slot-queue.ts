import type { Clock } from '../../clock.ts';
import { DeadlineTimer } from '../../timers/deadline-timer.ts';
import type { ActivityTask } from './activity-task.ts';
import type { Slots } from './slots.ts';

export interface SlotQueueOptions {
  readonly slots: Slots<ActivityTask>;
  readonly clock: Clock;
  readonly maxWaitMs: number;
  /** May work of the tenant start? While it may not, its time does not count. */
  readonly isOpen: (tenantId: string) => boolean;
  /** It has waited for too long, and waits no more. */
  readonly expired: (task: ActivityTask) => void;
}

export interface Waiting {
  readonly count: number;
  /** Null = nothing waits. */
  readonly oldestSinceMs: number | null;
}

/** Attempts that wait for a slot, and how long. */
export class SlotQueue {
  readonly #options: SlotQueueOptions;
  readonly #alarm: DeadlineTimer;
  /** In the order in which their time began, by tenant. */
  readonly #tenants = new Map<string, Set<ActivityTask>>();
  #count = 0;

  constructor(options: SlotQueueOptions) {
    this.#options = options;
    this.#alarm = new DeadlineTimer(options.clock, () => this.#expire());
  }

  all(): Waiting {
    let oldestSinceMs: number | null = null;
    for (const tasks of this.#tenants.values()) oldestSinceMs = earlier(oldestSinceMs, oldestOf(tasks));
    return { count: this.#count, oldestSinceMs };
  }

  of(tenantId: string): Waiting {
    const tasks = this.#tenants.get(tenantId);
    return tasks === undefined ? { count: 0, oldestSinceMs: null } : { count: tasks.size, oldestSinceMs: oldestOf(tasks) };
  }

  add(task: ActivityTask): void {
    const { clock, maxWaitMs, slots } = this.#options;
    task.waitsSinceMs = clock.nowMs();
    const others = this.#tenants.get(task.tenantId);
    if (others === undefined) this.#tenants.set(task.tenantId, new Set([task]));
    else others.add(task);
    this.#count += 1;
    slots.wait(task.tenantId, task.executionId, task);
    this.#alarm.scheduleAt(task.waitsSinceMs + maxWaitMs);
  }

  /** Nothing happens when it does not wait. */
  remove(task: ActivityTask): void {
    if (this.#forget(task)) this.#options.slots.leave(task.tenantId, task.executionId, task);
  }

  /** The next to start, which has its slot; null = none. */
  next(): ActivityTask | null {
    const task = this.#options.slots.next();
    if (task !== null) this.#forget(task);
    return task;
  }

  /** The tenant's work may start again; its time begins anew. */
  reopen(tenantId: string): void {
    const { slots, clock, maxWaitMs } = this.#options;
    const nowMs = clock.nowMs();
    slots.reopen(tenantId);
    for (const task of this.#tenants.get(tenantId) ?? []) task.waitsSinceMs = nowMs;
    if (this.#count > 0) this.#alarm.scheduleAt(nowMs + maxWaitMs);
  }

  /** All that waited; none does any more. */
  stop(): readonly ActivityTask[] {
    this.#alarm.stop();
    const all = [...this.#tenants.values()].flatMap((tasks) => [...tasks]);
    for (const task of all) this.remove(task);
    return all;
  }

  #forget(task: ActivityTask): boolean {
    const tasks = this.#tenants.get(task.tenantId);
    if (tasks?.delete(task) !== true) return false;
    if (tasks.size === 0) this.#tenants.delete(task.tenantId);
    this.#count -= 1;
    task.waitsSinceMs = null;
    return true;
  }

  #expire(): void {
    const { clock, maxWaitMs, isOpen, expired } = this.#options;
    const nowMs = clock.nowMs();
    let next: number | null = null;
    for (const [tenantId, tasks] of [...this.#tenants]) {
      if (!isOpen(tenantId)) continue;
      for (const task of tasks) {
        const atMs = (task.waitsSinceMs ?? nowMs) + maxWaitMs;
        if (atMs > nowMs) {
          next = earlier(next, atMs);
          break;
        }
        this.remove(task);
        expired(task);
      }
    }
    if (next !== null) this.#alarm.scheduleAt(next);
  }
}

function oldestOf(tasks: ReadonlySet<ActivityTask>): number | null {
  const [oldest] = tasks;
  return oldest?.waitsSinceMs ?? null;
}

function earlier(one: number | null, other: number | null): number | null {
  return one === null || (other !== null && other < one) ? other : one;
}
