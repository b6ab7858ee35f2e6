/** The log of an execution, its timers, and messages between executions. */

/** An entry as `l`: the fields of `StoredEntry`. */
export const ENTRY = 'l.position, l.seq, l.events, l.at_ms AS atMs, l.actor, l.request, l.body';

// Entries

/** OR FAIL avoids the statement journal: the transaction is rolled back as a whole anyway. */
export const APPEND_ENTRY = `INSERT OR FAIL INTO log_entries (position, log_id, seq, events, tenant, at_ms, actor, request, body)
  VALUES ((SELECT coalesce(max(position), 0) FROM log_entries) + ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const listEntries = (condition: string): string =>
  `SELECT ${ENTRY} FROM log_entries l WHERE l.log_id = (SELECT log_id FROM executions WHERE id = @executionId) AND l.seq > @after
  ${condition} ORDER BY l.seq`;
/** The entries of an execution with events after a sequence. */
export const LIST_ENTRIES = listEntries('');
/** Only those whose body contains @pattern. */
export const LIST_ENTRIES_WITH = listEntries('AND instr(l.body, @pattern) > 0');

// Timers and the inbox

export const SET_TIMER = `INSERT INTO timers (execution_id, id, tenant_id, node_id, at_ms, armed_seq) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (execution_id, id) DO UPDATE SET node_id = excluded.node_id, at_ms = excluded.at_ms, armed_seq = excluded.armed_seq`;
export const CLEAR_TIMER = 'DELETE FROM timers WHERE execution_id = ? AND id = ?';
export const FIRE_TIMER = 'DELETE FROM timers WHERE execution_id = ? AND id = ? AND armed_seq = ?';

export const SEND = 'INSERT INTO inbox (tenant_id, to_execution_id, message) VALUES (?, ?, ?)';
export const CONSUME = 'DELETE FROM inbox WHERE id = ?';
export const INBOX = 'SELECT id, to_execution_id AS toExecutionId, message FROM inbox WHERE id > ? ORDER BY id LIMIT ?';
