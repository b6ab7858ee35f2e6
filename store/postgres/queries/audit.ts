import { type Sql, sql } from '../connections.ts';
import { EVENT } from './log.ts';

/** The audit chains, and the audit log. */

// The chains

/**
 * Parameters: after (a name), limit. Includes writers with blocks but without a chain, whose blocks cannot be valid. Their names are looked up one after
 * the other, so that the number of blocks does not matter.
 */
export const CHAINS = sql(`WITH RECURSIVE sealing(writer) AS (
    (SELECT writer FROM audit_blocks WHERE writer > $1 ORDER BY writer LIMIT 1)
    UNION ALL
    SELECT (SELECT b.writer FROM audit_blocks b WHERE b.writer > sealing.writer ORDER BY b.writer LIMIT 1) FROM sealing
      WHERE sealing.writer IS NOT NULL
  ), known AS (
    (SELECT writer FROM audit_chains WHERE block > 0 AND writer > $1 ORDER BY writer LIMIT $2)
    UNION
    (SELECT writer FROM sealing WHERE writer IS NOT NULL LIMIT $2)
  )
  SELECT k.writer, coalesce(c.id, '') AS id, coalesce(c.block, 0) AS block, coalesce(c.hash, '') AS hash
  FROM known k LEFT JOIN audit_chains c ON c.writer = k.writer AND c.block > 0 ORDER BY k.writer LIMIT $2`);
const BLOCK =
  'block, at_ms AS "atMs", coalesce(sealed_by, writer) AS writer, writer AS chain, streams, hash, signature, position';
export const BLOCKS = sql(`SELECT ${BLOCK} FROM audit_blocks WHERE writer = $1 AND block > $2 ORDER BY block LIMIT $3`);
/** Blocks of all chains, in order of position. */
export const BLOCKS_IN_ORDER = sql(`SELECT ${BLOCK} FROM audit_blocks
  WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3`);
/** The id of a writer's chain, and the hash of a block of it. */
export const CHAIN_BEFORE =
  sql(`SELECT c.id, b.hash FROM audit_chains c LEFT JOIN audit_blocks b ON b.writer = c.writer AND b.block = $2
  WHERE c.writer = $1`);
/** The last block of each chain, up to a position. */
export const HEADS_AT = sql(`SELECT c.writer AS chain, b.block, b.hash FROM audit_chains c CROSS JOIN LATERAL (
    SELECT block, hash FROM audit_blocks WHERE writer = c.writer AND position <= $1 ORDER BY block DESC LIMIT 1) AS b
  ORDER BY c.writer`);
export const EVENT_RANGE = sql(
  `SELECT ${EVENT} FROM events WHERE execution_id = $1 AND tenant_id = $2 AND seq BETWEEN $3 AND $4 ORDER BY seq`,
);
/** The number of rows after a position, up to a limit, and the position of the last; no row = none. */
export const COUNT_EVENTS = sql(`SELECT position, count(*) OVER () AS rows FROM (
    SELECT position FROM events WHERE position > $1 ORDER BY position LIMIT $2) AS page
  ORDER BY position DESC LIMIT 1`);
/** The same for the control logs. */
export const COUNT_ACTIONS = sql(`SELECT tenant_id AS "tenantId", seq, count(*) OVER () AS rows FROM (
    SELECT tenant_id, seq FROM control_events WHERE (tenant_id, seq) > ($1, $2::integer) ORDER BY tenant_id, seq LIMIT $3) AS page
  ORDER BY tenant_id DESC, seq DESC LIMIT 1`);
export const REMOVED_EXECUTION = sql(`SELECT last_seq AS "lastSeq", control_seq AS "controlSeq" FROM removed_executions
  WHERE execution_id = $1 AND tenant_id = $2`);

// The log of a tenant

export interface AuditConditions {
  readonly executionId: boolean;
  readonly type: boolean;
  readonly actorId: boolean;
}

/** Parameters: tenant, from, before, then the execution, the type and the actor, if given. */
const FIXED_VALUES = 3;

export function countAudited(by: AuditConditions): Sql {
  const { where, onBehalf } = matching(by);
  const counts = [countOf('events', where), ...onBehalf.map((each) => countOf('events', each)), countOf('control_events', where)];
  return sql(`SELECT ${counts.join(' + ')} AS total`);
}

function countOf(table: string, where: string): string {
  return `(SELECT count(*) FROM ${table} WHERE ${where})`;
}

/**
 * Further parameters: the entry to continue after (time, source, position), limit, offset, and the maximum from each source. Within a millisecond the
 * last written entry comes first, and control events come after events.
 */
export function pageOfAudited(by: AuditConditions): Sql {
  const { where, onBehalf, next: at } = matching(by);
  const below = (matches: string, source: number, position: string): string =>
    `${matches} AND at_ms <= $${at}::bigint AND (at_ms, ${source}, ${position}) < ($${at}::bigint, $${at + 1}::integer, $${at + 2}::bigint)
      ORDER BY at_ms DESC, ${position} DESC LIMIT $${at + 5}`;
  const events = [where, ...onBehalf].map(
    (matches) => `(SELECT at_ms, 1 AS source, position FROM events WHERE ${below(matches, 1, 'position')})`,
  );
  return sql(`SELECT at_ms AS "atMs", source, position FROM (
    ${events.join(' UNION ALL ')}
    UNION ALL
    (SELECT at_ms, 0, seq FROM control_events WHERE ${below(where, 0, 'seq')})) AS entry
  ORDER BY at_ms DESC, source DESC, position DESC LIMIT $${at + 3} OFFSET $${at + 4}`);
}

/** The same for one execution. */
export function countAuditedOf(by: AuditConditions): Sql {
  return sql(`SELECT count(*) AS total FROM events WHERE ${ofExecution(by).where}`);
}

/** Further parameters: the sequence to continue below, limit, offset. */
export function pageOfAuditedOf(by: AuditConditions): Sql {
  const { where, next: at } = ofExecution(by);
  return sql(`SELECT at_ms AS "atMs", 1 AS source, position FROM events WHERE ${where} AND seq < $${at}::bigint
    ORDER BY seq DESC LIMIT $${at + 1} OFFSET $${at + 2}`);
}

interface Matching {
  readonly where: string;
  /** Further conditions on events: those in which another actor acted on behalf of the given one. */
  readonly onBehalf: readonly string[];
  /** The number of the next parameter. */
  readonly next: number;
}

/** Two conditions instead of one with OR: each uses its own index, and no event matches both. */
function matching(by: AuditConditions): Matching {
  const columns = [...(by.executionId ? ['execution_id'] : []), ...(by.type ? ['type'] : [])];
  const next = FIXED_VALUES + 1 + columns.length;
  const conditions = columns.map((column, index) => ` AND ${column} = $${FIXED_VALUES + 1 + index}`);
  const common = `tenant_id = $1 AND at_ms >= $2::bigint AND at_ms < $3::bigint${conditions.join('')}`;
  if (!by.actorId) return { where: common, onBehalf: [], next };
  const onBehalf = `${common} AND on_behalf_of = $${next} AND actor_id <> $${next}`;
  return { where: `${common} AND actor_id = $${next}`, onBehalf: [onBehalf], next: next + 1 };
}

/** For one execution, whose rows are read anyway. */
function ofExecution(by: AuditConditions): Pick<Matching, 'where' | 'next'> {
  const { where, next } = matching({ ...by, actorId: false });
  return by.actorId
    ? { where: `${where} AND (actor_id = $${next} OR on_behalf_of = $${next})`, next: next + 1 }
    : { where, next };
}

// Single entries

export const EVENT_PLACE = sql('SELECT position FROM events WHERE execution_id = $1 AND seq = $2::bigint AND tenant_id = $3');
export const AUDITED_EVENTS = sql(`SELECT position, execution_id AS "executionId", ${EVENT} FROM events
  WHERE tenant_id = $1 AND position = ANY($2)`);
export const AUDITED_ACTIONS =
  sql(`SELECT seq AS position, NULL AS "executionId", seq, type, NULL AS "nodeId", data, at_ms AS "atMs",
  actor_id AS "actorId", actor_type AS "actorType", NULL AS "onBehalfOf", request FROM control_events WHERE tenant_id = $1 AND seq = ANY($2)`);
