import type { ControlChange } from '../../store/port/notifications.ts';
import type { CommitNotification } from './types/runtime.ts';

type Subscriber<T> = (news: T | null) => void;

/** Who wants to hear of commits, and of changes of the control plane. Null tells that some may have been missed. */
export class Subscribers {
  readonly #failed: (error: unknown) => void;
  readonly #commit = new Set<Subscriber<CommitNotification>>();
  readonly #control = new Set<Subscriber<ControlChange>>();

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Nobody has to be told of commits. */
  get hasNoCommitSubscribers(): boolean {
    return this.#commit.size === 0;
  }

  onCommit(told: Subscriber<CommitNotification>): () => void {
    this.#commit.add(told);
    return () => this.#commit.delete(told);
  }

  onControl(told: Subscriber<ControlChange>): () => void {
    this.#control.add(told);
    return () => this.#control.delete(told);
  }

  notifyCommit(note: CommitNotification | null): void {
    this.#notify(this.#commit, note);
  }

  notifyControl(change: ControlChange | null): void {
    this.#notify(this.#control, change);
  }

  /** A listener that throws keeps nobody else from hearing. */
  #notify<T>(listeners: ReadonlySet<Subscriber<T>>, news: T | null): void {
    for (const told of listeners) {
      try {
        told(news);
      } catch (error) {
        this.#failed(error);
      }
    }
  }
}
