/** The tables before schema version 15, whose rows are moved when the database is opened. */

export const TABLE_EXISTS = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";

const HEAD = `id, tenant_id, workflow_id, workflow_version, labels, parent_id, depth, deadline_at_ms, created_at_ms, status, seq, steps,
  error, local_work, owner, updated_at_ms, completed_at_ms`;
/** Before the executions of the same batch. */
export const NUMBER_REVISIONS = `INSERT INTO log_revisions (hash)
  SELECT DISTINCT revision FROM (SELECT revision FROM old_executions ORDER BY id LIMIT ?) WHERE true ON CONFLICT (hash) DO NOTHING`;
/** In order of id, so that executions are numbered in the order in which they started. */
export const MOVE_EXECUTIONS = `INSERT INTO executions (revision, ${HEAD})
  SELECT (SELECT number FROM log_revisions WHERE hash = old_executions.revision), ${HEAD} FROM old_executions ORDER BY id LIMIT ?`;
/** Migration 0021 did the same for executions that were there. */
export const LIST_LIVE_EXECUTIONS = `INSERT INTO unlisted_approvals (execution_id, tenant_id)
  SELECT id, tenant_id FROM (SELECT id, tenant_id, completed_at_ms FROM old_executions ORDER BY id LIMIT ?) WHERE completed_at_ms IS NULL`;
export const REMOVE_OLD_EXECUTIONS = 'DELETE FROM old_executions WHERE id IN (SELECT id FROM old_executions ORDER BY id LIMIT ?)';

export const OLD_EVENTS = `SELECT rowid AS position, execution_id AS executionId, tenant_id AS tenantId, seq, type, node_id AS nodeId, data,
  at_ms AS atMs, actor_id AS actorId, actor_type AS actorType, on_behalf_of AS onBehalfOf, request
  FROM old_events ORDER BY rowid LIMIT ?`;
export const OLD_POSITIONS = `SELECT (SELECT min(rowid) FROM old_events) AS first, (SELECT max(rowid) FROM old_events) AS last`;
export const REMOVE_OLD_EVENTS = 'DELETE FROM old_events WHERE rowid <= ?';
export const LOG_ID = 'SELECT log_id FROM executions WHERE id = ?';
/** For events of an execution that has no row: below zero, where no execution is. */
export const UNUSED_LOG_ID = 'SELECT min(coalesce(min(log_id), 0), 0) - 1 FROM log_entries';
export const INSERT_ENTRY = `INSERT INTO log_entries (position, log_id, seq, events, tenant, at_ms, actor, request, body)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export const OLD_BLOCKS = 'SELECT block, streams FROM old_audit_blocks ORDER BY block LIMIT ?';
export const MOVE_BLOCK = `INSERT INTO audit_blocks (block, at_ms, writer, streams, hash, signature)
  SELECT block, at_ms, writer, @packed, hash, signature FROM old_audit_blocks WHERE block = @block`;
export const REMOVE_OLD_BLOCKS = 'DELETE FROM old_audit_blocks WHERE block <= ?';
