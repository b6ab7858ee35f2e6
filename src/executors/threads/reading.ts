import type { JsonObject } from '../../../machines/json.ts';
import type { ThreadTurn } from '../../../machines/messages.ts';

/** How much of a thread a turn reads. */
export interface ThreadWindow {
  /** Its last messages, at most. */
  readonly maxMessages: number;
  /** What becomes of earlier messages. Absent = they are left out. */
  readonly summarise?: SummariseThread;
}

export interface SummariseThread {
  /** Messages, at most, that stay as they are when others are summarised: the last ones. */
  readonly keep: number;
  /** What messages say, and the summary of those before; null = there are none before. Rejects with `WorkError`. */
  readonly summaryOf: (messages: readonly JsonObject[], before: string | null) => Promise<string>;
}

/** A thread as a turn has read it. */
export interface ThreadReading {
  readonly id: string;
  /** The summary if the window asks for one, and the last messages, the oldest first, as models are given them. They begin with one of the user. */
  readonly messages: readonly JsonObject[];
  /** The turn that appends these messages, with the commit of its node's completion. Throws `WorkError` if the thread cannot have them. */
  readonly append: (messages: readonly JsonObject[]) => ThreadTurn;
}
