import { ChurnMap, ChurnSet } from '../../../../store/churn-map.ts';
import type { ActivityTask } from './activity-task.ts';

const NONE: ReadonlySet<ActivityTask> = new Set();

/** The in-process attempts of this runtime, started or waiting for a slot. */
export class TaskRegistry {
  readonly #tasks = new ChurnSet<ActivityTask>();
  /** Most executions have one attempt; a fan-out has several. */
  readonly #byExecution = new ChurnMap<string, Set<ActivityTask>>();

  get size(): number {
    return this.#tasks.size;
  }

  all(): readonly ActivityTask[] {
    return [...this.#tasks];
  }

  of(executionId: string): ReadonlySet<ActivityTask> {
    return this.#byExecution.get(executionId) ?? NONE;
  }

  add(task: ActivityTask): void {
    this.#tasks.add(task);
    const others = this.#byExecution.get(task.executionId);
    if (others === undefined) this.#byExecution.set(task.executionId, new Set([task]));
    else others.add(task);
  }

  remove(task: ActivityTask): void {
    this.#tasks.delete(task);
    const left = this.#byExecution.get(task.executionId);
    left?.delete(task);
    if (left?.size === 0) this.#byExecution.delete(task.executionId);
  }
}
