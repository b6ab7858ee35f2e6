import type { Database } from 'better-sqlite3';
import {
  LIST_LIVE_EXECUTIONS,
  MOVE_EXECUTIONS,
  NUMBER_REVISIONS,
  REMOVE_OLD_EXECUTIONS,
  TABLE_EXISTS,
} from '../queries/conversion.ts';
import type { MoveBatch } from './move-batch.ts';

const EXECUTIONS_PER_BATCH = 500;

/** Gives each execution its number in the log. */
export function moveExecutions(db: Database): MoveBatch {
  const numberRevisions = db.prepare<[number]>(NUMBER_REVISIONS);
  const move = db.prepare<[number]>(MOVE_EXECUTIONS);
  const hasApprovals = db.prepare(TABLE_EXISTS).get('unlisted_approvals') !== undefined;
  const listLive = hasApprovals ? db.prepare<[number]>(LIST_LIVE_EXECUTIONS) : null;
  const remove = db.prepare<[number]>(REMOVE_OLD_EXECUTIONS);
  return () => {
    numberRevisions.run(EXECUTIONS_PER_BATCH);
    const moved = move.run(EXECUTIONS_PER_BATCH).changes > 0;
    if (moved) listLive?.run(EXECUTIONS_PER_BATCH);
    if (moved) remove.run(EXECUTIONS_PER_BATCH);
    return moved;
  };
}
