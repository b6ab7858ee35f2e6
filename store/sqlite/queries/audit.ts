/** The audit chain, and the audit log. */

import { MAX_EVENTS } from '../../log/entry.ts';
import { ENTRY } from './log.ts';
import { ACTORS_NAMED } from './log-names.ts';

// The chain

export const CHAIN_ID = 'SELECT id FROM audit_chain';
export const CHAIN_TAIL = 'SELECT block, hash FROM audit_blocks ORDER BY block DESC LIMIT 1';
export const CLOSE_BLOCK = 'INSERT INTO audit_blocks (block, at_ms, writer, streams, hash, signature) VALUES (?, ?, ?, ?, ?, ?)';
export const BLOCKS = `SELECT block, at_ms AS atMs, writer, streams, hash, signature FROM audit_blocks
  WHERE block > ? ORDER BY block LIMIT ?`;
export const BLOCK_HASH = 'SELECT hash FROM audit_blocks WHERE block = ?';

const TENANT = '(SELECT number FROM log_tenants WHERE id = @tenantId)';
const LOG = '(SELECT log_id FROM executions WHERE id = @executionId)';

/**
 * The entries that have events of a range. An entry has at most @maxEvents events. The plus before `tenant` makes the planner use the index by log: the
 * index by tenant would read the tenant's whole log.
 */
export const ENTRY_RANGE = `SELECT ${ENTRY} FROM log_entries l WHERE l.log_id = ${LOG} AND +l.tenant = ${TENANT}
  AND l.seq BETWEEN @firstSeq AND @lastSeq + @maxEvents AND l.seq - l.events < @lastSeq ORDER BY l.seq`;
/** An entry counts as one event at least, so that none can be added that has none; and as no more than it can have, so that the sum is exact. */
export const COUNT_AUDITED = `SELECT (SELECT coalesce(sum(min(max(events, 1), ${MAX_EVENTS})), 0) FROM log_entries)
  + (SELECT count(*) FROM control_events)`;
export const REMOVED_EXECUTION = `SELECT last_seq AS lastSeq, control_seq AS controlSeq FROM removed_executions
  WHERE execution_id = ? AND tenant_id = ?`;

// The log of a tenant, in slices of time: (@after, @until]

/**
 * The start of the slice that ends with @until and has about @size entries: the time of the entry before it, or -1. Ordered by the leading columns of
 * the index alone, so that nothing is sorted.
 */
export const SLICE_START = `SELECT max(
  coalesce((SELECT at_ms FROM log_entries WHERE tenant = ${TENANT} AND at_ms <= @until ORDER BY at_ms DESC LIMIT 1 OFFSET @size), -1),
  coalesce((SELECT at_ms FROM control_events WHERE tenant_id = @tenantId AND at_ms <= @until ORDER BY at_ms DESC LIMIT 1 OFFSET @size), -1))`;

/** The entries of a slice, newest first, with the size of their bodies, which it does not read. */
export const BODIES_IN_SLICE = `SELECT at_ms AS start, octet_length(body) AS bytes FROM log_entries
  WHERE tenant = ${TENANT} AND at_ms > @after AND at_ms <= @until ORDER BY at_ms DESC`;

export interface AuditConditions {
  readonly type: boolean;
  readonly actorId: boolean;
}

/** How many events of an entry match: a line feed begins each, so the text that begins an event of the type is found nowhere else. */
function matches(by: AuditConditions): string {
  return by.type ? "(length(body) - length(replace(body, @pattern, ''))) / length(@pattern)" : 'events';
}

export function countAudited(by: AuditConditions): string {
  return `SELECT (SELECT coalesce(sum(${matches(by)}), 0) FROM log_entries WHERE ${entriesInSlice(by)})
    + (SELECT count(*) FROM control_events WHERE ${actionsInSlice(by)})`;
}

/**
 * Entries with at least one event before the position (@atMs, @source, @position). Within a millisecond, the last written entry comes first, and control
 * events come after events. Sorts the slice.
 */
export function pageOfAudited(by: AuditConditions): string {
  return `SELECT at_ms AS atMs, source, position, events, matches FROM (
    SELECT at_ms, 1 AS source, position, events, ${matches(by)} AS matches FROM log_entries WHERE ${entriesInSlice(by)}
    UNION ALL SELECT at_ms, 0, seq, 1, 1 FROM control_events WHERE ${actionsInSlice(by)})
  WHERE (at_ms, source, position - events + 1) < (@atMs, @source, @position)
  ORDER BY at_ms DESC, source DESC, position DESC LIMIT @limit`;
}

function entriesInSlice(by: AuditConditions): string {
  return `tenant = ${TENANT} AND at_ms > @after AND at_ms <= @until${entryConditions(by)}`;
}

function actionsInSlice({ type, actorId }: AuditConditions): string {
  const conditions = `${type ? ' AND type = @type' : ''}${actorId ? ' AND actor_id = @actorId' : ''}`;
  return `tenant_id = @tenantId AND at_ms > @after AND at_ms <= @until${conditions}`;
}

// The log of an execution, in slices of its sequence

/** Up to @until. */
export const LAST_SEQ = `SELECT max(seq) FROM log_entries WHERE log_id = ${LOG} AND seq <= @until AND +tenant = ${TENANT}`;

/** As `BODIES_IN_SLICE`. */
export const BODIES_OF_EXECUTION = `SELECT seq AS start, octet_length(body) AS bytes FROM log_entries
  WHERE log_id = ${LOG} AND +tenant = ${TENANT} AND seq > @after AND seq <= @until ORDER BY seq DESC`;

export function countAuditedOf(by: AuditConditions): string {
  return `SELECT coalesce(sum(${matches(by)}), 0) FROM log_entries WHERE ${ofExecution(by)}`;
}

/** Entries with at least one event before the sequence @below. */
export function pageOfAuditedOf(by: AuditConditions): string {
  return `SELECT at_ms AS atMs, 1 AS source, position, seq, events, ${matches(by)} AS matches FROM log_entries
    WHERE ${ofExecution(by)} AND seq - events + 1 < @below ORDER BY seq DESC LIMIT @limit`;
}

function ofExecution(by: AuditConditions): string {
  return `log_id = ${LOG} AND +tenant = ${TENANT} AND seq > @after AND seq <= @until
    AND +at_ms >= @fromMs AND +at_ms < @beforeMs${entryConditions(by)}`;
}

function entryConditions({ type, actorId }: AuditConditions): string {
  return `${type ? ' AND instr(body, @pattern) > 0' : ''}${actorId ? ` AND +actor IN (${ACTORS_NAMED})` : ''}`;
}

// Single entries

/** The position of an event. */
export const EVENT_POSITION = `SELECT position - seq + @seq FROM log_entries WHERE log_id = ${LOG} AND +tenant = ${TENANT}
  AND seq >= @seq AND seq - events < @seq ORDER BY seq LIMIT 1`;
export const ENTRY_BODY = 'SELECT seq, events, body FROM log_entries WHERE position = ?';
/** The entry with the event of a position: the first that does not end before it. */
export const AUDITED_ENTRY = `SELECT ${ENTRY}, x.id AS executionId FROM log_entries l JOIN executions x ON x.log_id = l.log_id
  WHERE l.position = (SELECT min(position) FROM log_entries WHERE position >= @position)
    AND l.position - l.events < @position AND l.tenant = ${TENANT}`;
