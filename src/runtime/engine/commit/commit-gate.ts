/** Keeps commits apart from work that must not run during one. */
export class CommitGate {
  #committing = false;
  #holds = 0;
  #waiting: (() => void)[] = [];
  #onOpened: () => void = () => {};

  /** May a commit start? */
  get isOpen(): boolean {
    return !this.#committing && this.#holds === 0;
  }

  /** Sets the function to call when commits that were held back may start. */
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
   * Runs `work` while no commit is in progress, and holds commits back until it has ended: it reads the store in a state of which
   * all parts of the runtime have been notified. All commits wait for it, so it must be quick.
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
