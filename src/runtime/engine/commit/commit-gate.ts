/** Lets commits and work that must not run beside one take turns. */
export class CommitGate {
  #committing = false;
  #holds = 0;
  #waiting: (() => void)[] = [];
  #onOpened: () => void = () => {};

  /** May a commit begin? */
  get isOpen(): boolean {
    return !this.#committing && this.#holds === 0;
  }

  /** Has `callback` called when commits that were held back may begin. */
  onOpened(callback: () => void): void {
    this.#onOpened = callback;
  }

  /** Commits; the gate is closed until `commit` has ended. */
  async commit(commit: () => Promise<void>): Promise<void> {
    this.#committing = true;
    try {
      await commit();
    } finally {
      this.#committing = false;
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }

  /**
   * Runs `work` when no commit is under way, and lets none begin before it is done: what it reads in the store is what all parts of the
   * runtime have been told of. All commits wait for it, so it must be quick.
   */
  async betweenCommits(work: () => Promise<void>): Promise<void> {
    this.#holds += 1;
    try {
      while (this.#committing) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      await work();
    } finally {
      this.#holds -= 1;
      if (this.isOpen) this.#onOpened();
    }
  }
}
