import type { EventBus } from './events.ts';

/** The stored executions that a runtime works on: all of them, or those that it started and those that the filter accepts. */
export class ExecutionScope {
  readonly #filter: ((executionId: string) => boolean) | undefined;
  readonly #startedHere = new Set<string>();

  constructor(events: EventBus, filter: ((executionId: string) => boolean) | undefined) {
    this.#filter = filter;
    if (filter === undefined) return;
    events.on('committed', ({ before, after }) => {
      if (before === null) this.#startedHere.add(after.id);
    });
  }

  includes(executionId: string): boolean {
    return this.#filter === undefined || this.#startedHere.has(executionId) || this.#filter(executionId);
  }
}
