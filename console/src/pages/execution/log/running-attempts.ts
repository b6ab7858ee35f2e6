import type { LiveUpdate } from '../../../../../src/client/live.ts';

/** What a running attempt shows before its end. */
export interface RunningAttempt {
  readonly activation: number;
  readonly attempt: number;
  /** What its model has written so far. */
  readonly text: string;
  /** What its tool reported last; null = nothing. */
  readonly progress: { readonly fraction: number | null; readonly text: string | null } | null;
}

/** Texts of models and progress of tools, by node. */
export class RunningAttempts {
  readonly #byNode = new Map<string, RunningAttempt>();

  of(node: string): RunningAttempt | null {
    return this.#byNode.get(node) ?? null;
  }

  apply(update: LiveUpdate): void {
    const { node_id: node, activation, attempt } = update;
    const known = this.#byNode.get(node);
    const isSame = known?.activation === activation && known.attempt === attempt;
    // After an interruption, a text comes from its beginning again, and perhaps an update of an attempt that has ended since.
    if (!isSame && known !== undefined && isLater(known, update)) return;
    const before = isSame ? known : { activation, attempt, text: '', progress: null };
    if ('index' in update) {
      const { text } = before;
      this.#byNode.set(node, {
        ...before,
        text: (update.index === text.length ? text : text.slice(0, update.index)) + update.text,
      });
    } else this.#byNode.set(node, { ...before, progress: { fraction: update.fraction, text: update.text } });
  }

  end(node: string): void {
    this.#byNode.delete(node);
  }
}

function isLater(a: RunningAttempt, b: { readonly activation: number; readonly attempt: number }): boolean {
  return a.activation > b.activation || (a.activation === b.activation && a.attempt > b.attempt);
}
