import { type Sql, sql } from '../connections.ts';

/** Executions: heads, checkpoints, lists. Columns are named as the port's rows name them, so that rows need no mapping. */

const EXECUTION = `id, tenant_id AS "tenantId", workflow_id AS "workflowId", workflow_version AS "workflowVersion", revision, labels,
  parent_id AS "parentId", depth, deadline_at_ms AS "deadlineAtMs", created_at_ms AS "createdAtMs", status, seq, steps, error,
  local_work AS "localWork", owner, updated_at_ms AS "updatedAtMs", completed_at_ms AS "completedAtMs", snapshot_seq AS "snapshotSeq"`;

export const EXECUTION_BY_ID = sql(`SELECT ${EXECUTION} FROM executions WHERE id = $1`);
export const TENANT_EXECUTION = sql(`SELECT ${EXECUTION} FROM executions WHERE id = $1 AND tenant_id = $2`);
export const WITH_LOCAL_WORK = sql(`SELECT ${EXECUTION} FROM executions WHERE local_work > 0 AND id > $1 ORDER BY id LIMIT $2`);
export const CHECKPOINT = sql('SELECT snapshot AS text, snapshot_seq AS seq FROM executions WHERE id = $1');
/** The executions of several ids, in no order. */
export const EXECUTIONS_BY_ID = sql(`SELECT ${EXECUTION} FROM executions WHERE id = ANY($1)`);

/** Which end of the ids a list begins with. */
export type Order = 'newest' | 'oldest';

/** A condition on executions: the table whose index leads through those it holds for, in order of id. Its values have consecutive places. */
export interface Way {
  readonly table: 'executions' | 'execution_labels';
  readonly id: 'id' | 'execution_id';
  readonly condition: (place: number) => string;
  readonly values: number;
}

const execution = (values: number, condition: (place: number) => string): Way => ({
  table: 'executions',
  id: 'id',
  condition,
  values,
});
const label = (values: number, condition: (place: number) => string): Way => ({
  table: 'execution_labels',
  id: 'execution_id',
  condition,
  values,
});

export const WAYS = {
  tenant: execution(0, () => ''),
  parent: execution(1, (at) => ` AND parent_id = $${at}`),
  label: label(1, (at) => ` AND key = $${at}`),
  labelValue: label(2, (at) => ` AND key = $${at} AND value = $${at + 1}`),
  version: execution(2, (at) => ` AND workflow_id = $${at} AND workflow_version = $${at + 1}`),
  workflow: execution(1, (at) => ` AND workflow_id = $${at}`),
  status: execution(1, (at) => ` AND status = $${at}`),
  /** Any of a list. */
  statuses: execution(1, () => ' AND status = any_of.status'),
} as const;

/** Tenant, start, bound, steps, matches: then come the values of the ways. */
const FIXED_VALUES = 5;

/**
 * Steps through the ids that all of several ways have, with one look into each index: the first id of the first way, the first from there on
 * of the second … Where the last one stands is where the next step begins, so a way is read only where the others have something
 * (a leapfrog join: Veldhuizen, ICDT 2014). Newest first, `at` is excluded; oldest first, included; the character behind an id makes the
 * one of the other. Each row is a match, or the last step that was to be taken: from there the walk goes on.
 */
export function walkExecutions(ways: readonly (keyof typeof WAYS)[], order: Order): Sql {
  const newest = order === 'newest';
  let place = FIXED_VALUES + 1;
  const looks = ways.map((name, index) => {
    const way = WAYS[name];
    const from = index === 0 ? `${newest ? '<' : '>='} w.at AND ${way.id} ${newest ? '>=' : '<'} $3` : fromThere(newest, index);
    const text = look(name, `${way.id} ${from}`, place, newest);
    place += way.values;
    return `${text} AS s${index}`;
  });
  const last = `s${ways.length - 1}.id`;
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
    ) AS n WHERE w.step < $4
  )
  SELECT at, id, matched, step = $4 AS stopped FROM walk WHERE matched OR step = $4 LIMIT $5`);
}

function fromThere(newest: boolean, index: number): string {
  return `${newest ? '<=' : '>='} s${index - 1}.id`;
}

/** One row, or none. */
function look(name: keyof typeof WAYS, range: string, place: number, newest: boolean): string {
  const { table, id, condition } = WAYS[name];
  const [aggregate, direction] = newest ? ['max', 'DESC'] : ['min', 'ASC'];
  const one = `SELECT ${id} AS id FROM ${table} WHERE tenant_id = $1${condition(place)} AND ${range} ORDER BY ${id} ${direction} LIMIT 1`;
  if (name !== 'statuses') return `(${one})`;
  return `(SELECT ${aggregate}(each.id) AS id FROM unnest($${place}::text[]) AS any_of (status) CROSS JOIN LATERAL (${one}) AS each
    HAVING ${aggregate}(each.id) IS NOT NULL)`;
}

/** Tenant, range of ids; then the values of the ways. */
export function countExecutions(ways: readonly (keyof typeof WAYS)[]): Sql {
  let place = 4;
  const conditions = ways.map((name) => {
    const { table, condition, values } = WAYS[name];
    const at = place;
    place += values;
    if (name === 'statuses') return ` AND status = ANY($${at})`;
    if (table === 'executions') return condition(at);
    return ` AND EXISTS (SELECT 1 FROM execution_labels l WHERE l.tenant_id = $1 AND l.execution_id = e.id${condition(at)})`;
  });
  return sql(`SELECT count(*) AS count FROM executions e WHERE tenant_id = $1 AND id >= $2 AND id < $3${conditions.join('')}`);
}
