import type { JsonObject } from '../../../machines/json.ts';
import type { ThreadTurn } from '../../../machines/messages.ts';

/** How much of a thread a turn reads. */
export interface ThreadWindow {
  /** Its last messages, at most. */
  readonly maxMessages: number;
}

/** A thread as a turn has read it. */
export interface ThreadReading {
  /** The last messages, the oldest first, as models are given them. They begin with one of the user. */
  readonly messages: readonly JsonObject[];
  /** The turn that appends these messages, with the commit of its node's completion. Throws `WorkError` if the thread cannot have them. */
  readonly append: (messages: readonly JsonObject[]) => ThreadTurn;
}
