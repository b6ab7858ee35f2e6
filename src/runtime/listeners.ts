import type { ControlChange } from '../../store/notices.ts';
import type { CommitNote } from './types.ts';

type Told<T> = (news: T | null) => void;

/** Who wants to hear of commits, and of changes of the control plane. Null tells that some may have been missed. */
export class Listeners {
  readonly #failed: (error: unknown) => void;
  readonly #commit = new Set<Told<CommitNote>>();
  readonly #control = new Set<Told<ControlChange>>();

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Nobody has to be told of commits. */
  get nobody(): boolean {
    return this.#commit.size === 0;
  }

  onCommit(told: Told<CommitNote>): () => void {
    this.#commit.add(told);
    return () => this.#commit.delete(told);
  }

  onControl(told: Told<ControlChange>): () => void {
    this.#control.add(told);
    return () => this.#control.delete(told);
  }

  committed(note: CommitNote | null): void {
    this.#tell(this.#commit, note);
  }

  changed(change: ControlChange | null): void {
    this.#tell(this.#control, change);
  }

  /** A listener that throws keeps nobody else from hearing. */
  #tell<T>(listeners: ReadonlySet<Told<T>>, news: T | null): void {
    for (const told of listeners) {
      try {
        told(news);
      } catch (error) {
        this.#failed(error);
      }
    }
  }
}
