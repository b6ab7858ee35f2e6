import type { Visit } from '../../../../machines/messages.ts';
import type { Redactor } from '../../../../machines/redaction/redactor.ts';
import { StreamRedactor } from '../../../../machines/redaction/stream-redactor.ts';
import { ChurnMap, ChurnSet } from '../../../../store/churn-map.ts';
import type { Progress } from '../../../executors/tool-context/progress.ts';
import type { Clock } from '../../clock.ts';
import { drive } from '../../redaction/in-slices.ts';
import type { TimeSlices } from '../../scheduling/time-slices.ts';
import type { LiveUpdate } from '../../types/executions.ts';
import type { ActivityTask } from './activity-task.ts';

/** Longest part, in UTF-16 code units: with many readers that are slow, a part of each is in memory. */
const MAX_PART = 16_384;
/** A part up to this length is redacted at once: a millisecond or so. */
const PART_AT_ONCE = 4_096;
/** The shortest time between two reports of an attempt's progress to its readers. */
const PROGRESS_PAUSE_MS = 100;

/** The attempt that writes a text. */
export type TextSource = Visit & Pick<ActivityTask, 'tenantId' | 'executionId'>;

/** The text and the progress of an attempt so far. */
export interface LiveText {
  readonly source: TextSource;
  /** Another process writes it. */
  readonly isRemote: boolean;
  text: string;
  /** Null = it has reported none. Replaced by each report. */
  progress: Progress | null;
  ended: boolean;
}

/** Adds to the text of an attempt, and ends it. */
export interface TextWriter {
  readonly add: (text: string) => void;
  readonly end: () => void;
}

const NONE: ReadonlySet<LiveText> = new Set();

/**
 * What attempts have written before their result, while they run: the answers of models, and the progress of tools. Of attempts in other processes it has what
 * `SharedTexts` adds. Nothing of it is stored. Readers take what there is when they come to it, so that a slow one gets fewer and
 * longer parts.
 */
export class LiveTexts {
  readonly #texts = new ChurnMap<string, Set<LiveText>>();
  readonly #readers = new ChurnMap<string, Set<() => void>>();
  /** Those whose progress was reported a moment ago. */
  readonly #reported = new ChurnSet<LiveText>();
  readonly #clock: Pick<Clock, 'after'>;
  readonly #slices: TimeSlices;
  #closed = false;

  constructor(clock: Pick<Clock, 'after'>, slices: TimeSlices) {
    this.#clock = clock;
    this.#slices = slices;
  }

  /** Returns the functions that add to the text of an attempt, and that end it. Readers get what the redactor leaves of it. */
  begin(task: ActivityTask, redactor: Redactor | null = null): TextWriter {
    const add = (text: string): void => {
      if (!task.dropped && text !== '') this.append(this.#openOf(task), text);
    };
    const end = (): void => {
      const live = this.find(task);
      if (live !== undefined) this.end(live);
    };
    return redactor === null ? { add, end } : this.#redacted(task, redactor, add, end);
  }

  /** Long parts are redacted in slices; what follows them waits. */
  #redacted(task: ActivityTask, redactor: Redactor, add: (text: string) => void, end: () => void): TextWriter {
    const redaction = new StreamRedactor(redactor);
    const slice = this.#slices.slice(task.tenantId);
    let busy: Promise<void> | null = null;
    return {
      add: (part) => {
        if (busy === null && part.length <= PART_AT_ONCE) add(redaction.push(part));
        else {
          const next = (busy ?? Promise.resolve()).then(async () => {
            add(await drive(slice, redaction.pushInWindows(part)));
            if (busy === next) busy = null;
          });
          busy = next;
        }
      },
      end: () => {
        if (busy === null) end();
        else void busy.then(end);
      },
    };
  }

  /** Reports how far an attempt of this process is. `next`: the progress after the one it has reported before. */
  report(task: ActivityTask, next: (before: Progress | null) => Progress): void {
    const live = this.find(task);
    const progress = next(live?.progress ?? null);
    if (!task.dropped) this.setProgress(live ?? this.open(task, false), progress);
  }

  /** What an attempt has written; undefined = nothing so far. */
  find(source: TextSource): LiveText | undefined {
    for (const live of this.of(source.executionId)) if (isSameSource(live.source, source)) return live;
    return undefined;
  }

  #openOf(task: ActivityTask): LiveText {
    return this.find(task) ?? this.open(task, false);
  }

  /** Begins a text, which is empty. */
  open(source: TextSource, isRemote: boolean): LiveText {
    const live: LiveText = { source, isRemote, text: '', progress: null, ended: false };
    added(this.#texts, source.executionId, live);
    return live;
  }

  append(live: LiveText, text: string): void {
    live.text += text;
    this.#wake(live);
  }

  /** Wakes readers at once, or at the end of the pause after the last report; another process has paused already. */
  setProgress(live: LiveText, progress: Progress): void {
    live.progress = progress;
    if (this.#reported.has(live) || !this.#readers.has(live.source.executionId)) return;
    this.#wake(live);
    if (live.isRemote) return;
    this.#reported.add(live);
    this.#clock.after(PROGRESS_PAUSE_MS, () => {
      this.#reported.delete(live);
      if (!live.ended && live.progress !== null && live.progress !== progress) this.setProgress(live, live.progress);
    });
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

  /** The texts of an execution's attempts and their progress: what there is, then what is added, until `signal` aborts or `close`. */
  async *read(tenantId: string, executionId: string, signal: AbortSignal): AsyncGenerator<LiveUpdate> {
    const given = new WeakMap<LiveText, { index: number; progress: Progress | null }>();
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
          if (live.source.tenantId !== tenantId) continue;
          const last = given.get(live) ?? { index: 0, progress: null };
          given.set(live, last);
          const { node: nodeId, activation, attempt, item } = live.source;
          const of = item === undefined ? { activation, attempt } : { activation, attempt, item };
          if (live.progress !== null && live.progress !== last.progress) {
            last.progress = live.progress;
            yield { executionId, nodeId, ...of, progress: live.progress };
            if (signal.aborted) return;
          }
          const { index } = last;
          if (live.text.length === index) continue;
          const end = partEnd(live.text, index, MAX_PART);
          last.index = end;
          yield { executionId, nodeId, ...of, index, text: live.text.slice(index, end) };
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

function isSameSource(one: TextSource, other: TextSource): boolean {
  return (
    one.node === other.node &&
    one.activation === other.activation &&
    one.attempt === other.attempt &&
    one.item === other.item &&
    one.tenantId === other.tenantId
  );
}

/** The end of the part that begins at `index`, of at most `length` UTF-16 code units, not between the halves of a character. */
export function partEnd(text: string, index: number, length: number): number {
  const end = index + length;
  if (end >= text.length) return text.length;
  return /[\ud800-\udbff]/.test(text.charAt(end - 1)) ? end - 1 : end;
}

function added<T>(sets: ChurnMap<string, Set<T>>, key: string, value: T): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([value]));
  else known.add(value);
}

function removed<T>(sets: ChurnMap<string, Set<T>>, key: string, value: T): void {
  const known = sets.get(key);
  known?.delete(value);
  if (known?.size === 0) sets.delete(key);
}
