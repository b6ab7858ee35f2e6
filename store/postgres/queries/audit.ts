import { type Sql, sql } from '../connections.ts';
import { ACTOR_OF_ENTRY, ENTRY } from './log.ts';

/** The audit chains, and the audit log. */

/**
 * For a transaction. Pages are read along an index, whatever the statistics say: another plan could read the whole table, or the whole log of an execution,
 * for each page.
 */
export const IN_ORDER = sql(`SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
  set_config('enable_sort', 'off', true), set_config('jit', 'off', true)`);

/** The log of an execution of a tenant. Written so that only the index of ids applies. */
const logOf = (id: string, tenantId: string): string =>
  `(SELECT x.log_id FROM executions x WHERE x.id = ${id} AND x.tenant_id IS NOT DISTINCT FROM ${tenantId})`;

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
/**
 * Parameters: lists of executions, tenants, first and last sequences, and last sequences of entries in which ranges may end. The entries that have events
 * of each range, with its place in the lists. A bound that is computed here would not be looked up in the index: row-level security comes before it.
 */
export const ENTRY_RANGES = sql(`SELECT r.place, ${ENTRY}, e.types
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY
    AS r (id, tenant_id, first, last, entry_end, place)
  CROSS JOIN LATERAL (SELECT ${logOf('r.id', 'r.tenant_id')} AS log_id OFFSET 0) AS x
  CROSS JOIN LATERAL (SELECT * FROM log_entries WHERE log_id = x.log_id AND seq BETWEEN r.first AND r.entry_end
      AND tenant_id IS NOT DISTINCT FROM r.tenant_id AND seq - events < r.last ORDER BY seq OFFSET 0) AS e
  ${ACTOR_OF_ENTRY} ORDER BY r.place, e.seq`);
/** The number of events in the entries (at least one in each) after a position, up to a limit, and the position of the last; no row = none. */
export const COUNT_EVENTS = sql(`SELECT position, sum(greatest(events, 1)) OVER () AS events FROM (
    SELECT position, events FROM log_entries WHERE position > $1 ORDER BY position LIMIT $2) AS page
  ORDER BY position DESC LIMIT 1`);
/** The same for the control logs. */
export const COUNT_ACTIONS = sql(`SELECT tenant_id AS "tenantId", seq, count(*) OVER () AS rows FROM (
    SELECT tenant_id, seq FROM control_events WHERE (tenant_id, seq) > ($1, $2::integer) ORDER BY tenant_id, seq LIMIT $3) AS page
  ORDER BY tenant_id DESC, seq DESC LIMIT 1`);
export const REMOVED_EXECUTION = sql(`SELECT last_seq AS "lastSeq", control_seq AS "controlSeq" FROM removed_executions
  WHERE execution_id = $1 AND tenant_id = $2`);

// The log of a tenant. The index by time has what filters and totals ask for: the types of the events as tokens (log/type-tokens.ts), and their actor.

export interface AuditConditions {
  readonly executionId: boolean;
  readonly type: boolean;
  readonly actorId: boolean;
}

/** Parameters of every search: tenant, from, before. */
const FIXED_VALUES = 3;

/** Further parameters: the type as its token and as it is, the actor, each if given. */
export function countAudited(by: AuditConditions): Sql {
  const { entries, actions } = matching(by);
  return sql(`SELECT (SELECT coalesce(sum(${entries.matches}), 0) FROM log_entries e WHERE ${entries.where})
    + (SELECT count(*) FROM control_events WHERE ${actions}) AS total`);
}

/**
 * Further parameters: time, source and position of the entry to begin with, offset, and offset + limit. Within a millisecond the last written entry comes
 * first, and control events come after events. Each row has the number of its matching events, and of all up to the last of them.
 */
export function pageOfAudited(by: AuditConditions): Sql {
  const { entries, actions, next: at } = matching(by);
  const from = (source: number, position: string): string => `at_ms <= $${at}::bigint
      AND (at_ms, ${source}, ${position}) <= ($${at}::bigint, $${at + 1}::integer, $${at + 2}::bigint)
      ORDER BY at_ms DESC, ${position} DESC LIMIT $${at + 4}::bigint`;
  return sql(
    cut(
      `(SELECT e.at_ms, 1 AS source, e.position, ${entries.matches} AS matches FROM log_entries e
        WHERE ${entries.where} AND ${from(1, 'position')})
      UNION ALL
      (SELECT at_ms, 0, seq, 1 FROM control_events WHERE ${actions} AND ${from(0, 'seq')})`,
      'at_ms DESC, source DESC, position DESC',
      at + 3,
    ),
  );
}

/** The same for one execution: the further parameters are the execution, the token of the type and the actor, the last two if given. */
export function countAuditedOf(by: AuditConditions): Sql {
  const { matches, where } = matchingOf(by);
  return sql(`SELECT coalesce(sum(${matches}), 0) AS total FROM log_entries e WHERE ${where}`);
}

/** Further parameters: the sequence to begin with, offset, and offset + limit. */
export function pageOfAuditedOf(by: AuditConditions): Sql {
  const { matches, where, next: at } = matchingOf(by);
  return sql(
    cut(
      `SELECT e.at_ms, 1 AS source, e.position, e.seq, ${matches} AS matches FROM log_entries e
        WHERE ${where} AND e.seq <= $${at}::bigint ORDER BY e.seq DESC LIMIT $${at + 2}::bigint`,
      'seq DESC',
      at + 1,
    ),
  );
}

/** The entries that hold the matching events after the first `$offset`, up to `$offset + 1`. Each entry has at least one. */
function cut(entries: string, order: string, offset: number): string {
  return `SELECT at_ms AS "atMs", source, position, matches, through FROM (
    SELECT *, sum(matches) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) AS through FROM (${entries}) AS entry
  ) AS page WHERE through > $${offset}::bigint AND through - matches < $${offset + 1}::bigint ORDER BY ${order}`;
}

interface MatchingEntries {
  readonly where: string;
  /** How many of an entry's events match. */
  readonly matches: string;
}

const IN_TIME = 'tenant_id = $1 AND at_ms >= $2::bigint AND at_ms < $3::bigint';
/** The same, written so that the index by time does not apply: the log of an execution is read by its own. */
const IN_TIME_OF_EXECUTION = IN_TIME.replace('tenant_id =', 'tenant_id IS NOT DISTINCT FROM');

function matching(by: AuditConditions): { readonly entries: MatchingEntries; readonly actions: string; readonly next: number } {
  const [token, type, actor] = [FIXED_VALUES + 1, FIXED_VALUES + 2, FIXED_VALUES + (by.type ? 3 : 1)];
  const actions = [IN_TIME, ...(by.type ? [`type = $${type}`] : []), ...(by.actorId ? [`actor_id = $${actor}`] : [])];
  return {
    entries: entriesBy(by, token, actor),
    actions: actions.join(' AND '),
    next: FIXED_VALUES + 1 + (by.type ? 2 : 0) + (by.actorId ? 1 : 0),
  };
}

function matchingOf(by: AuditConditions): MatchingEntries & { readonly next: number } {
  const execution = FIXED_VALUES + 1;
  const { where, matches } = entriesBy(by, execution + 1, execution + (by.type ? 2 : 1));
  return {
    where: `log_id = ${logOf(`$${execution}`, '$1')} AND ${where}`,
    matches,
    next: execution + 1 + (by.type ? 1 : 0) + (by.actorId ? 1 : 0),
  };
}

function entriesBy(by: AuditConditions, token: number, actor: number): MatchingEntries {
  const time = by.executionId ? IN_TIME_OF_EXECUTION : IN_TIME;
  const where = [time, ...(by.type ? [`strpos(types, $${token}) > 0`] : []), ...(by.actorId ? [isBy(actor)] : [])];
  const matches = by.type ? `(length(types) - length(replace(types, $${token}, ''))) / length($${token})` : 'events';
  return { where: where.join(' AND '), matches };
}

/** IS TRUE keeps the planner from making a join of it, which could read all entries of an actor for one page. */
function isBy(actor: number): string {
  return `(actor IN (SELECT number FROM log_actors WHERE tenant_id = $1 AND id = $${actor}
    UNION ALL SELECT number FROM log_actors WHERE tenant_id = $1 AND on_behalf_of = $${actor})) IS TRUE`;
}

// Single entries

/** The entry that holds an event. Parameters: execution, sequence, tenant, and the last sequence that the entry may end with. */
export const ENTRY_OF = sql(`SELECT e.position, e.at_ms AS "atMs", e.seq, e.types FROM log_entries e
  WHERE e.log_id = ${logOf('$1', '$3')} AND e.tenant_id IS NOT DISTINCT FROM $3
    AND e.seq BETWEEN $2::bigint AND $4::bigint AND e.seq - e.events < $2::bigint ORDER BY e.seq LIMIT 1`);
export const AUDITED_ENTRIES = sql(`SELECT e.position, x.id AS "executionId", ${ENTRY} FROM log_entries e ${ACTOR_OF_ENTRY}
  JOIN executions x ON x.log_id = ANY(ARRAY[e.log_id]) WHERE e.tenant_id = $1 AND e.position = ANY($2)`);
export const AUDITED_ACTIONS =
  sql(`SELECT seq AS position, NULL AS "executionId", seq, type, NULL AS "nodeId", data, at_ms AS "atMs",
  actor_id AS "actorId", actor_type AS "actorType", NULL AS "onBehalfOf", request FROM control_events WHERE tenant_id = $1 AND seq = ANY($2)`);
