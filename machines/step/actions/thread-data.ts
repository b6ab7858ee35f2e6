import type { JsonObject } from '../../json.ts';
import type { ThreadTurn } from '../../messages.ts';

/** What `node_completed` says of what a turn has added to a thread: where it stands, not what is said. */
export function threadData(turn: ThreadTurn | undefined): { readonly thread?: JsonObject } {
  return turn === undefined ? {} : { thread: { thread_id: turn.id, first: turn.first, last: turn.last } };
}
