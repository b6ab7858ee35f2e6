/** The log of an execution, its timers, and messages between executions. */

export const EVENT = `seq, type, node_id AS nodeId, data, at_ms AS atMs, actor_id AS actorId, actor_type AS actorType,
  on_behalf_of AS onBehalfOf, request`;

// Events

/**
 * Appends events that share time, actor and request with one call that binds each shared value once, in a third less time than row by row. OR FAIL
 * avoids the statement journal: the transaction is rolled back as a whole anyway.
 */
export function appendEvents(rows: number): string {
  const each = Array.from({ length: rows }, () => '(?, ?, ?, ?)').join(', ');
  return `INSERT OR FAIL INTO events (execution_id, tenant_id, at_ms, actor_id, actor_type, on_behalf_of, request, seq, type, node_id, data)
    SELECT run.*, event.* FROM (SELECT ?, ?, ?, ?, ?, ?, ?) AS run CROSS JOIN (VALUES ${each}) AS event`;
}

export function listEvents(by: { readonly type: boolean; readonly nodeId: boolean }): string {
  const filters = [by.type ? ' AND type = @type' : '', by.nodeId ? ' AND node_id = @nodeId' : ''];
  return `SELECT ${EVENT} FROM events WHERE execution_id = @executionId AND seq > @after${filters.join('')} ORDER BY seq LIMIT @limit`;
}

// Timers and the inbox

export const SET_TIMER = `INSERT INTO timers (execution_id, id, tenant_id, node_id, at_ms, armed_seq) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (execution_id, id) DO UPDATE SET node_id = excluded.node_id, at_ms = excluded.at_ms, armed_seq = excluded.armed_seq`;
export const CLEAR_TIMER = 'DELETE FROM timers WHERE execution_id = ? AND id = ?';
export const FIRE_TIMER = 'DELETE FROM timers WHERE execution_id = ? AND id = ? AND armed_seq = ?';

export const SEND = 'INSERT INTO inbox (tenant_id, to_execution_id, message) VALUES (?, ?, ?)';
export const CONSUME = 'DELETE FROM inbox WHERE id = ?';
export const INBOX = 'SELECT id, to_execution_id AS toExecutionId, message FROM inbox WHERE id > ? ORDER BY id LIMIT ?';
