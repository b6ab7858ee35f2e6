import { type Sql, sql } from '../connections.ts';

/** Executions: rows, checkpoints, lists. Columns are aliased to the fields of the port's rows. */

const EXECUTION = `id, tenant_id AS "tenantId", workflow_id AS "workflowId", workflow_version AS "workflowVersion",
  (SELECT r.hash FROM log_revisions r WHERE r.number = revision) AS revision, labels,
  parent_id AS "parentId", depth, deadline_at_ms AS "deadlineAtMs", created_at_ms AS "createdAtMs", status, seq, steps, error,
  local_work AS "localWork", owner, updated_at_ms AS "updatedAtMs", completed_at_ms AS "completedAtMs"`;

export const EXECUTION_BY_ID = sql(`SELECT ${EXECUTION} FROM executions WHERE id = $1`);
/** In no order. */
export const EXECUTIONS_BY_ID = sql(`SELECT ${EXECUTION} FROM executions WHERE id = ANY($1)`);
export const WITH_LOCAL_WORK = sql(`SELECT ${EXECUTION} FROM executions WHERE local_work > 0 AND id > $1 ORDER BY id LIMIT $2`);
/** The newest at or before a sequence. */
export const CHECKPOINT = sql(`SELECT snapshot AS text, seq, digest FROM checkpoints WHERE execution_id = $1 AND seq <= $2
  ORDER BY seq DESC LIMIT 1`);
/** All checkpoints, in pages. */
export const CHECKPOINTS = sql(`SELECT execution_id AS "executionId", tenant_id AS "tenantId", snapshot AS text, seq, digest
  FROM checkpoints WHERE (execution_id, seq) > ($1, $2) ORDER BY execution_id, seq LIMIT $3`);
/**
 * Parameters: tenant, ids. Rows come in no order. The tenant is compared so that no index applies: without statistics, the planner might choose any
 * index with both columns.
 */
export const TENANT_EXECUTIONS = sql(
  `SELECT ${EXECUTION} FROM executions WHERE id = ANY($2) AND tenant_id IS NOT DISTINCT FROM $1`,
);

/** Whether a list begins with the newest or the oldest ids. */
export type Order = 'newest' | 'oldest';

/** A condition on executions, and the index that lists its matches in order of id. */
interface IndexScan {
  readonly table: 'executions' | 'execution_labels';
  /** The columns between the tenant and the id in the index; each has a value. */
  readonly columns: readonly string[];
  /** The predicate of a partial index. */
  readonly predicate?: string;
}

export const INDEX_SCANS = {
  tenant: { table: 'executions', columns: [] },
  parent: { table: 'executions', columns: ['parent_id'], predicate: 'parent_id IS NOT NULL' },
  label: { table: 'execution_labels', columns: ['key'] },
  labelValue: { table: 'execution_labels', columns: ['key', 'value'] },
  version: { table: 'executions', columns: ['workflow_id', 'workflow_version'] },
  workflow: { table: 'executions', columns: ['workflow_id'] },
  status: { table: 'executions', columns: ['status'] },
  /** Its value is a list, of which any matches. */
  statuses: { table: 'executions', columns: ['status'] },
} as const satisfies Readonly<Record<string, IndexScan>>;
export type IndexScanName = keyof typeof INDEX_SCANS;

/** Ids along one index. Parameters: tenant, start, limit, offset, then the values of the condition. Newest first, the start is exclusive. */
export function scanExecutions(name: Exclude<IndexScanName, 'statuses'>, order: Order): Sql {
  const newest = order === 'newest';
  return sql(
    `${seek(INDEX_SCANS[name], { newest, from: '$2', inclusive: !newest, values: places(name, 5) })} LIMIT $3 OFFSET $4`,
  );
}

/**
 * The ids that several conditions have in common (leapfrog join: Veldhuizen, ICDT 2014). Parameters: tenant, start, bound, steps, matches, then the
 * values of the conditions. Each step seeks once in each index: the first id of the first, from there on the first id of the second, and so on. The next
 * step begins at the last id found, so an index is read only where the others have entries. Newest first, the start is exclusive and the bound
 * inclusive; oldest first, the reverse; a character appended to an id turns one into the other. Each row is a match, or the last step: all ids before
 * it are decided, and the join continues from `at`.
 */
export function joinExecutions(scans: readonly IndexScanName[], order: Order): Sql {
  const newest = order === 'newest';
  let place = 6;
  const looks = scans.map((name, index) => {
    const values = places(name, place);
    place += values.length;
    const from = index === 0 ? 'w.at' : `s${index - 1}.id`;
    return `${seekOnce(name, { newest, from, inclusive: !newest || index > 0, values })} AS s${index}`;
  });
  const last = `s${scans.length - 1}.id`;
  const beyond = `${last} || chr(1)`;
  const next = newest
    ? `CASE WHEN ${last} = s0.id THEN ${last} ELSE ${beyond} END`
    : `CASE WHEN ${last} = s0.id THEN ${beyond} ELSE ${last} END`;
  return sql(`WITH RECURSIVE walk (at, id, matched, step) AS (
    SELECT $2::text COLLATE "C", NULL::text COLLATE "C", false, 0
    UNION ALL
    SELECT n.at, n.id, n.matched, w.step + 1 FROM walk w CROSS JOIN LATERAL (
      SELECT (${next}) COLLATE "C" AS at, s0.id AS id, ${last} = s0.id AS matched
      FROM ${looks.join('\n      CROSS JOIN LATERAL ')}
      WHERE ${last} ${newest ? '>=' : '<'} $3
    ) AS n WHERE w.step < $4
  )
  SELECT at, id, matched, step = $4 AS stopped FROM walk WHERE matched OR step = $4 LIMIT $5`);
}

interface Seek {
  readonly newest: boolean;
  /** The id to start from. */
  readonly from: string;
  readonly inclusive: boolean;
  /** Values of the condition's columns. */
  readonly values: readonly string[];
}

function places(name: IndexScanName, first: number): readonly string[] {
  return INDEX_SCANS[name].columns.map((_column: string, index: number) => `$${first + index}`);
}

/** One row, or none. */
function seekOnce(name: IndexScanName, given: Seek): string {
  if (name !== 'statuses') return `(${seek(INDEX_SCANS[name], given)} LIMIT 1)`;
  const first = given.newest ? 'max' : 'min';
  return `(SELECT ${first}(each.id) AS id FROM unnest(${given.values[0]}::text[]) AS any_of (status)
      CROSS JOIN LATERAL (${seek(INDEX_SCANS.status, { ...given, values: ['any_of.status'] })} LIMIT 1) AS each
      HAVING ${first}(each.id) IS NOT NULL)`;
}

/**
 * Ids along the index of a condition, from an id on. The last condition is written as a range, and its column is part of the order: no other index
 * yields that order, so the planner cannot scan the primary key instead. The row comparison is where the scan of the index starts, the other end of
 * the range is where it stops.
 */
function seek({ table, columns, predicate }: IndexScan, { newest, from, inclusive, values }: Seek): string {
  const id = table === 'executions' ? 'id' : 'execution_id';
  const known = ['tenant_id', ...columns].map((column, index) => ({ column, value: ['$1', ...values][index] ?? '' }));
  const { column, value } = known.at(-1) ?? { column: 'tenant_id', value: '$1' };
  const [compare, beyond, direction] = newest ? ['<', '>=', 'DESC'] : ['>', '<=', 'ASC'];
  const conditions = [
    ...known.slice(0, -1).map((each) => `${each.column} = ${each.value}`),
    `(${column}, ${id}) ${compare}${inclusive ? '=' : ''} (${value}, ${from})`,
    `${column} ${beyond} ${value}`,
    ...(predicate === undefined ? [] : [predicate]),
  ];
  return `SELECT ${id} AS id FROM ${table} WHERE ${conditions.join(' AND ')} ORDER BY ${column} ${direction}, ${id} ${direction}`;
}

/** By status. Parameters: tenant, the range of ids if there is one (comparing ids doubles the time), then the values of the conditions. */
export function countExecutions(scans: readonly IndexScanName[], ranged: boolean): Sql {
  let place = ranged ? 4 : 2;
  const conditions = scans.map((name) => {
    const { table, columns }: IndexScan = INDEX_SCANS[name];
    const equal = columns
      .map((column) => ` AND ${column} = ${name === 'statuses' ? `ANY($${place++})` : `$${place++}`}`)
      .join('');
    if (table === 'executions') return equal;
    return ` AND EXISTS (SELECT 1 FROM execution_labels l WHERE l.tenant_id = $1 AND l.execution_id = e.id${equal})`;
  });
  const range = ranged ? ' AND id >= $2 AND id < $3' : '';
  return sql(
    `SELECT status, count(*) AS count FROM executions e WHERE tenant_id = $1${range}${conditions.join('')} GROUP BY status`,
  );
}

/** Parameters: tenant, workflows, and as many keys. */
export const KEY_HOLDERS = sql(`SELECT asked.workflow_id AS "workflowId", asked.key, holder.execution_id AS "executionId"
  FROM unnest($2::text[], $3::text[]) AS asked (workflow_id, key)
  CROSS JOIN LATERAL (SELECT k.execution_id FROM execution_keys k
    WHERE k.tenant_id = $1 AND k.workflow_id = asked.workflow_id AND k.key = asked.key OFFSET 0) AS holder`);
