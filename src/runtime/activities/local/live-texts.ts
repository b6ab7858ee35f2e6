import type { Redactor } from '../../../../machines/redaction/redactor.ts';
import { StreamRedactor } from '../../../../machines/redaction/stream-redactor.ts';
import type { TextDelta } from '../../types/executions.ts';
import type { ActivityTask } from './activity-task.ts';

/** Longest part, in UTF-16 code units: with many readers that are slow, a part of each is in memory. */
const MAX_PART = 16_384;

/** The attempt that writes a text. */
export type TextSource = Pick<ActivityTask, 'tenantId' | 'executionId' | 'node' | 'activation' | 'attempt'>;

/** The text of an attempt so far. */
export interface LiveText {
  readonly source: TextSource;
  /** Another process writes it. */
  readonly isRemote: boolean;
  text: string;
  ended: boolean;
}

const NONE: ReadonlySet<LiveText> = new Set();

/**
 * What attempts have written before their result, while they run: the answers of models. Of attempts in other processes it has what
 * `SharedTexts` adds. Nothing of it is stored. Readers take what there is when they come to it, so that a slow one gets fewer and
 * longer parts.
 */
export class LiveTexts {
  readonly #texts = new Map<string, Set<LiveText>>();
  readonly #readers = new Map<string, Set<() => void>>();
  #closed = false;

  /** Returns the functions that add to the text of an attempt, and that end it. Readers get what the redactor leaves of it. */
  begin(
    task: ActivityTask,
    redactor: Redactor | null = null,
  ): { readonly add: (text: string) => void; readonly end: () => void } {
    const redaction = redactor === null ? null : new StreamRedactor(redactor);
    let live: LiveText | null = null;
    return {
      add: (part) => {
        const text = redaction?.push(part) ?? part;
        if (task.dropped || text === '') return;
        live ??= this.open(task, false);
        this.append(live, text);
      },
      end: () => {
        if (live !== null) this.end(live);
      },
    };
  }

  /** Begins a text, which is empty. */
  open(source: TextSource, isRemote: boolean): LiveText {
    const live: LiveText = { source, isRemote, text: '', ended: false };
    added(this.#texts, source.executionId, live);
    return live;
  }

  append(live: LiveText, text: string): void {
    live.text += text;
    this.#wake(live);
  }

  end(live: LiveText): void {
    live.ended = true;
    removed(this.#texts, live.source.executionId, live);
    this.#wake(live);
  }

  /** The texts of an execution that are being written. */
  of(executionId: string): ReadonlySet<LiveText> {
    return this.#texts.get(executionId) ?? NONE;
  }

  /** Calls `wake` whenever a text of the execution has grown or ended. Returns a function that ends that. */
  watch(executionId: string, wake: () => void): () => void {
    added(this.#readers, executionId, wake);
    return () => removed(this.#readers, executionId, wake);
  }

  /** Ends all readers. */
  close(): void {
    this.#closed = true;
    for (const readers of this.#readers.values()) for (const wake of readers) wake();
  }

  /** The texts of an execution's attempts: what there is, then what is added, until `signal` aborts or `close`. */
  async *read(tenantId: string, executionId: string, signal: AbortSignal): AsyncGenerator<TextDelta> {
    const given = new WeakMap<LiveText, number>();
    let wake: () => void = () => {};
    const onWake = (): void => wake();
    const unwatch = this.watch(executionId, onWake);
    signal.addEventListener('abort', onWake, { once: true });
    try {
      while (!signal.aborted && !this.#closed) {
        // Before reading: what is added while the reader is busy with a part wakes it at once.
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        let isBehind = false;
        for (const live of [...this.of(executionId)]) {
          const index = given.get(live) ?? 0;
          const { node: nodeId, activation, attempt } = live.source;
          if (live.source.tenantId !== tenantId || live.text.length === index) continue;
          const end = partEnd(live.text, index, MAX_PART);
          given.set(live, end);
          yield { executionId, nodeId, activation, attempt, index, text: live.text.slice(index, end) };
          if (signal.aborted) return;
          isBehind ||= end < live.text.length;
        }
        if (!isBehind) await woken;
      }
    } finally {
      unwatch();
      signal.removeEventListener('abort', onWake);
    }
  }

  #wake({ source }: LiveText): void {
    for (const wake of this.#readers.get(source.executionId) ?? []) wake();
  }
}

/** The end of the part that begins at `index`, of at most `length` UTF-16 code units, not between the halves of a character. */
export function partEnd(text: string, index: number, length: number): number {
  const end = index + length;
  if (end >= text.length) return text.length;
  return /[\ud800-\udbff]/.test(text.charAt(end - 1)) ? end - 1 : end;
}

function added<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([value]));
  else known.add(value);
}

function removed<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const known = sets.get(key);
  known?.delete(value);
  if (known?.size === 0) sets.delete(key);
}
