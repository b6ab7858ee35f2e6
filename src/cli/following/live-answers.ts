import type { HistoryEvent } from '../../../machines/history/event.ts';
import { ApiError, type LiveUpdate, Unreachable } from '../../client/index.ts';
import { progressText } from '../../views/progress.ts';
import { plain } from '../terminal/text.ts';

/** Characters of a text that is being written that are shown: its end. */
const SHOWN = 60;
const ENDS_ATTEMPT: ReadonlySet<string> = new Set(['node_completed', 'node_failed', 'node_cancelled']);

export type ReadLive = (executionId: string, signal: AbortSignal) => AsyncIterable<LiveUpdate>;

/** What attempts in followed executions show, as far as it fits beside their nodes: the end of a model's text, or a tool's progress. */
export class LiveAnswers {
  readonly #read: ReadLive;
  readonly #ends = new Map<string, string>();
  readonly #progress = new Map<string, string>();

  constructor(read: ReadLive) {
    this.#read = read;
  }

  /** Reads until `signal` aborts. A server that is lost ends it: the follower reports that, and texts are only for show. */
  async follow(executionId: string, signal: AbortSignal): Promise<void> {
    try {
      for await (const update of this.#read(executionId, signal)) {
        // Of several items of a node, none stands for it.
        if (update.item !== undefined) continue;
        const key = keyOf(executionId, update.node_id);
        if (!('index' in update)) {
          this.#progress.set(key, progressText(update));
          continue;
        }
        const { index, text } = update;
        this.#ends.set(key, `${index === 0 ? '' : (this.#ends.get(key) ?? '')}${text}`.slice(-SHOWN));
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof Unreachable) && !(error instanceof ApiError)) throw error;
    }
  }

  /** The end of the text that a node's model is writing, or the progress of its tool; null = neither. */
  of(executionId: string, node: string): string | null {
    const end = this.#ends.get(keyOf(executionId, node));
    const progress = this.#progress.get(keyOf(executionId, node));
    if (progress !== undefined) return plain(progress);
    return end === undefined ? null : `…${plain(end.replace(/\s+/g, ' ')).trimStart()}`;
  }

  /** Forgets what the attempt showed that an event ends. */
  apply(executionId: string, { type, node_id }: Pick<HistoryEvent, 'type' | 'node_id'>): void {
    if (node_id === null || !ENDS_ATTEMPT.has(type)) return;
    this.#ends.delete(keyOf(executionId, node_id));
    this.#progress.delete(keyOf(executionId, node_id));
  }
}

function keyOf(executionId: string, node: string): string {
  return `${executionId}\n${node}`;
}
