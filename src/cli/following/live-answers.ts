import { ApiError, type LiveTextDelta, Unreachable } from '../../client/index.ts';
import { plain } from '../terminal/text.ts';

/** Characters of a text that is being written that are shown: its end. */
const SHOWN = 60;

export type ReadDeltas = (executionId: string, signal: AbortSignal) => AsyncIterable<LiveTextDelta>;

/** The texts that models are writing in followed executions, as far as they fit beside their nodes. */
export class LiveAnswers {
  readonly #read: ReadDeltas;
  readonly #ends = new Map<string, string>();

  constructor(read: ReadDeltas) {
    this.#read = read;
  }

  /** Reads until `signal` aborts. A server that is lost ends it: the follower reports that, and texts are only for show. */
  async follow(executionId: string, signal: AbortSignal): Promise<void> {
    try {
      for await (const { node_id, index, text } of this.#read(executionId, signal)) {
        const key = keyOf(executionId, node_id);
        this.#ends.set(key, `${index === 0 ? '' : (this.#ends.get(key) ?? '')}${text}`.slice(-SHOWN));
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof Unreachable) && !(error instanceof ApiError)) throw error;
    }
  }

  /** The end of the text that a node's model is writing; null = it has written none. */
  of(executionId: string, node: string): string | null {
    const end = this.#ends.get(keyOf(executionId, node));
    return end === undefined ? null : `…${plain(end.replace(/\s+/g, ' ')).trimStart()}`;
  }

  /** The node's attempt is over. */
  forget(executionId: string, node: string): void {
    this.#ends.delete(keyOf(executionId, node));
  }
}

function keyOf(executionId: string, node: string): string {
  return `${executionId}\n${node}`;
}
