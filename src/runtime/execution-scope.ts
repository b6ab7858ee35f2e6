/** The stored executions that a runtime works on: all of them, or those that it started and those that the filter accepts. */
export class ExecutionScope {
  readonly #filter: ((executionId: string) => boolean) | undefined;
  readonly #startedHere = new Set<string>();

  constructor(filter: ((executionId: string) => boolean) | undefined) {
    this.#filter = filter;
  }

  /** Includes an execution that was started here. */
  add(executionId: string): void {
    if (this.#filter !== undefined) this.#startedHere.add(executionId);
  }

  includes(executionId: string): boolean {
    return this.#filter === undefined || this.#startedHere.has(executionId) || this.#filter(executionId);
  }
}
