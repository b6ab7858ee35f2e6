/** The audit chain, and the audit log. */

import { EVENT } from './log.ts';

// The chain

export const CHAIN_ID = 'SELECT id FROM audit_chain';
export const CHAIN_TAIL = 'SELECT block, hash FROM audit_blocks ORDER BY block DESC LIMIT 1';
export const CLOSE_BLOCK = 'INSERT INTO audit_blocks (block, at_ms, writer, streams, hash, signature) VALUES (?, ?, ?, ?, ?, ?)';
export const BLOCKS = `SELECT block, at_ms AS atMs, writer, streams, hash, signature FROM audit_blocks
  WHERE block > ? ORDER BY block LIMIT ?`;
export const BLOCK_HASH = 'SELECT hash FROM audit_blocks WHERE block = ?';
// The plus before `tenant_id` makes the planner use the index by execution: the index by tenant would read the tenant's whole log.

export const EVENT_RANGE = `SELECT ${EVENT} FROM events WHERE execution_id = ? AND +tenant_id = ? AND seq BETWEEN ? AND ? ORDER BY seq`;
export const COUNT_AUDITED = 'SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM control_events)';
export const REMOVED_EXECUTION = `SELECT last_seq AS lastSeq, control_seq AS controlSeq FROM removed_executions
  WHERE execution_id = ? AND tenant_id = ?`;

// The log of a tenant, in slices of time: (@after, @until]

/**
 * The start of the slice that ends with @until and has about @size entries: the time of the entry before it, or -1. Ordered by the leading columns of
 * the index alone, so that nothing is sorted.
 */
export const SLICE_START = `SELECT max(
  coalesce((SELECT at_ms FROM events WHERE tenant_id = @tenantId AND at_ms <= @until ORDER BY at_ms DESC LIMIT 1 OFFSET @size), -1),
  coalesce((SELECT at_ms FROM control_events WHERE tenant_id = @tenantId AND at_ms <= @until ORDER BY at_ms DESC LIMIT 1 OFFSET @size), -1))`;

/** The actor, or the name it acted for. */
const EVENT_ACTOR = '(actor_id = @actorId OR on_behalf_of = @actorId)';
const CONTROL_ACTOR = 'actor_id = @actorId';

export interface AuditConditions {
  readonly type: boolean;
  readonly actorId: boolean;
}

export function countAudited(by: AuditConditions): string {
  return `SELECT (SELECT count(*) FROM events WHERE ${inSlice(by, EVENT_ACTOR)})
    + (SELECT count(*) FROM control_events WHERE ${inSlice(by, CONTROL_ACTOR)})`;
}

/** Within a millisecond, the last written entry comes first, and control events come after events. Sorts the slice. */
export function pageOfAudited(by: AuditConditions): string {
  return `SELECT at_ms AS atMs, source, position FROM (
    SELECT at_ms, 1 AS source, rowid AS position FROM events WHERE ${inSlice(by, EVENT_ACTOR)}
    UNION ALL SELECT at_ms, 0, seq FROM control_events WHERE ${inSlice(by, CONTROL_ACTOR)})
  WHERE (at_ms, source, position) < (@atMs, @source, @position)
  ORDER BY at_ms DESC, source DESC, position DESC LIMIT @limit OFFSET @offset`;
}

function inSlice(by: AuditConditions, actor: string): string {
  return `tenant_id = @tenantId AND at_ms > @after AND at_ms <= @until${conditions(by, actor)}`;
}

// The log of an execution, in slices of its sequence

export const LAST_SEQ = 'SELECT max(seq) FROM events WHERE execution_id = @executionId AND +tenant_id = @tenantId';

export function countAuditedOf(by: AuditConditions): string {
  return `SELECT count(*) FROM events WHERE ${ofExecution(by)}`;
}

export function pageOfAuditedOf(by: AuditConditions): string {
  return `SELECT at_ms AS atMs, 1 AS source, rowid AS position FROM events WHERE ${ofExecution(by)} AND seq < @position
    ORDER BY seq DESC LIMIT @limit OFFSET @offset`;
}

function ofExecution(by: AuditConditions): string {
  return `execution_id = @executionId AND +tenant_id = @tenantId AND seq > @after AND seq <= @until
    AND +at_ms >= @fromMs AND +at_ms < @beforeMs${conditions(by, EVENT_ACTOR)}`;
}

function conditions(by: AuditConditions, actor: string): string {
  return `${by.type ? ' AND type = @type' : ''}${by.actorId ? ` AND ${actor}` : ''}`;
}

// Single entries

export const EVENT_PLACE = 'SELECT rowid FROM events WHERE execution_id = ? AND seq = ? AND +tenant_id = ?';
export const AUDITED_EVENT = `SELECT execution_id AS executionId, ${EVENT} FROM events WHERE rowid = ? AND tenant_id = ?`;
