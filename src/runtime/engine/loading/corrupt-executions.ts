import { RecentlyUsed } from '../../../../store/recently-used.ts';
import type { Clock } from '../../clock.ts';
import { RuntimeError } from '../../errors.ts';

/** The most corrupt executions that are remembered and counted. */
const MAX_REMEMBERED = 10_000;
/** An execution that could not be loaded is not read again for so long: replaying a log may be expensive. */
const RELOAD_AFTER_MS = 10 * 60_000;

interface Unloadable {
  /** The end of its log. */
  readonly seq: number;
  readonly error: RuntimeError;
  readonly atMs: number;
}

export interface CorruptExecutionsOptions {
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** The executions that this runtime has found to be corrupt: each is reported once, and counted until the runtime ends. */
export class CorruptExecutions {
  readonly #options: CorruptExecutionsOptions;
  /** Executions that ended as failed, because a step threw or nothing could continue them. */
  readonly #ended = new RecentlyUsed<string, true>(MAX_REMEMBERED);
  /** Executions whose log cannot be replayed: they stay as they are stored. */
  readonly #unloadable = new RecentlyUsed<string, Unloadable>(MAX_REMEMBERED);

  readonly #changed = new RecentlyUsed<string, true>(MAX_REMEMBERED);

  constructor(options: CorruptExecutionsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#ended.size + this.#unloadable.size;
  }

  reportEnded(id: string, error: RuntimeError): void {
    if (this.#ended.has(id)) return;
    this.#ended.set(id, true);
    this.#options.onError(error);
  }

  /** Reported once; the log tells what the snapshot should, and the next commit replaces it. */
  reportChangedSnapshot(id: string, seq: number): void {
    const key = `${id} ${seq}`;
    if (this.#changed.has(key)) return;
    this.#changed.set(key, true);
    const message = `the snapshot of execution ${id} at sequence ${seq} was changed in the database: its log is replayed instead`;
    this.#options.onError(new RuntimeError('corrupt', message));
  }

  reportUnloadable(id: string, seq: number, error: RuntimeError): void {
    const isKnown = this.#unloadable.has(id);
    this.#unloadable.set(id, { seq, error, atMs: this.#options.clock.nowMs() });
    if (!isKnown) this.#options.onError(error);
  }

  clearUnloadable(id: string): void {
    this.#unloadable.delete(id);
  }

  /** Why it could not be loaded a while ago; null = it could, or its log has grown since, or it is worth another look. */
  knownError(id: string, seq: number): RuntimeError | null {
    const known = this.#unloadable.get(id);
    if (known === undefined || known.seq !== seq || this.#options.clock.nowMs() - known.atMs >= RELOAD_AFTER_MS) return null;
    return known.error;
  }
}
