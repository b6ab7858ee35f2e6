import type { ThreadMessageRow, ThreadRow } from '../../port/resources/threads.ts';
import { sql } from '../statement.ts';

/** Threads and their messages. */

const THREAD = `number, id, messages, bytes, last, summary, summarised, created_at_ms AS "createdAtMs", updated_at_ms AS "updatedAtMs"`;
const MESSAGE = `sequence, message, execution_id AS "executionId", node_id AS "nodeId", activation, created_at_ms AS "createdAtMs"`;

/** The last changed first. */
export const THREADS = sql<ThreadRow>(`SELECT ${THREAD} FROM threads WHERE tenant_id = @tenantId
  AND (updated_at_ms, number) < (@beforeMs, @before) ORDER BY updated_at_ms DESC, number DESC LIMIT @limit`);
export const THREAD_BY_ID = sql<ThreadRow>(`SELECT ${THREAD} FROM threads WHERE tenant_id = @tenantId AND id = @id`);
/** Writes to a thread wait for each other. */
export const LOCK_THREAD = sql<ThreadRow>(
  ({ forUpdate }) => `SELECT ${THREAD} FROM threads WHERE tenant_id = @tenantId AND id = @id ${forUpdate}`,
);
export const CREATE_THREAD =
  sql(`INSERT INTO threads (tenant_id, id, messages, bytes, last, summarised, created_at_ms, updated_at_ms)
  VALUES (@tenantId, @id, 0, 0, 0, 0, @atMs, @atMs) ON CONFLICT (tenant_id, id) DO NOTHING`);
export const ADD_TO_THREAD = sql(`UPDATE threads SET messages = messages + @messages, bytes = bytes + @bytes, last = @last,
  updated_at_ms = @atMs WHERE tenant_id = @tenantId AND number = @number`);
export const SUMMARISE_THREAD =
  sql(`UPDATE threads SET bytes = bytes + @bytes - coalesce(octet_length(summary), 0), summary = @summary,
  summarised = @summarised WHERE tenant_id = @tenantId AND id = @id AND number = @number AND summarised = @summarisedBefore`);
export const DELETE_THREAD = sql('DELETE FROM threads WHERE tenant_id = @tenantId AND number = @number');

const pageOf = <Row>(columns: string) => ({
  asc: sql<Row>(`SELECT ${columns} FROM thread_messages
  WHERE tenant_id = @tenantId AND thread = @number AND sequence > @cursor ORDER BY sequence LIMIT @limit`),
  desc: sql<Row>(`SELECT ${columns} FROM thread_messages
  WHERE tenant_id = @tenantId AND thread = @number AND sequence < @cursor ORDER BY sequence DESC LIMIT @limit`),
});
export interface ThreadMessageSize {
  readonly sequence: number;
  readonly bytes: number;
}
/** Read first, so that no page is larger than it may be. */
export const THREAD_MESSAGE_SIZES = pageOf<ThreadMessageSize>('sequence, bytes');
export const THREAD_MESSAGES = pageOf<ThreadMessageRow>(MESSAGE);
export const PUT_THREAD_MESSAGE =
  sql(`INSERT INTO thread_messages (thread, sequence, tenant_id, message, bytes, execution_id, node_id, activation, created_at_ms)
  VALUES (@number, @sequence, @tenantId, @message, @bytes, @executionId, @nodeId, @activation, @atMs)`);
export const DELETE_THREAD_MESSAGES = sql(
  'DELETE FROM thread_messages WHERE tenant_id = @tenantId AND thread = @number AND sequence <= @last',
);
