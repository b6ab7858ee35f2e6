import type { StorageKind } from '../../port/resources/storage.ts';
import { type Dialect, type Statement, sql } from '../statement.ts';

/** The bytes that tenants store, by table. */

/** A table whose rows count as storage of their tenant. PostgreSQL's triggers are in its migrations. */
interface StoredTable {
  readonly name: string;
  readonly kind: StorageKind;
  /** The bytes of a row `r`: of the columns that hold what callers and executions wrote. */
  readonly bytes: string;
  /** The order in which SQLite counts rows, by an index; with the first value, which is less than all keys. */
  readonly key: readonly [column: string, first: '' | -1];
  readonly key2?: string;
  /** The rows of a tenant in an index that continues with the key; absent: all rows are read, and those of other tenants count as 0. */
  readonly ofTenant?: string;
  /** The column by which the bytes of a row may change. */
  readonly changes?: string;
}

const OF_TENANT = 'r.tenant_id = @tenantId';
/** The row with its entries in indexes. The event that is sent is in the log. */
const DELIVERY_BYTES = 512;

const STORED_TABLES: readonly StoredTable[] = [
  {
    name: 'log_entries',
    kind: 'logs',
    bytes: 'octet_length(r.body) + coalesce(octet_length(r.request), 0)',
    key: ['at_ms', -1],
    key2: 'position',
    ofTenant: 'r.tenant = (SELECT number FROM log_tenants WHERE id = @tenantId)',
  },
  { name: 'original_events', kind: 'logs', bytes: 'octet_length(r.data)', key: ['execution_id', ''], key2: 'seq' },
  { name: 'checkpoints', kind: 'logs', bytes: 'octet_length(r.snapshot)', key: ['execution_id', ''], key2: 'seq' },
  {
    name: 'control_events',
    kind: 'logs',
    bytes: 'octet_length(r.data) + coalesce(octet_length(r.request), 0)',
    key: ['seq', -1],
    ofTenant: OF_TENANT,
  },
  { name: 'artifacts', kind: 'artifacts', bytes: 'r.size', key: ['hash', ''], ofTenant: OF_TENANT },
  { name: 'memory_namespaces', kind: 'memory', bytes: 'r.bytes', key: ['name', ''], ofTenant: OF_TENANT, changes: 'bytes' },
  { name: 'threads', kind: 'threads', bytes: 'r.bytes', key: ['id', ''], ofTenant: OF_TENANT, changes: 'bytes' },
  { name: 'webhook_deliveries', kind: 'deliveries', bytes: String(DELIVERY_BYTES), key: ['webhook_id', ''], key2: 'id' },
  {
    name: 'work_items',
    kind: 'work',
    bytes: "CASE r.payload WHEN '{}' THEN 0 ELSE octet_length(r.payload) END",
    key: ['position', -1],
    changes: 'payload',
  },
  { name: 'revisions', kind: 'definitions', bytes: 'octet_length(r.source)', key: ['hash', ''], ofTenant: OF_TENANT },
  { name: 'agents', kind: 'definitions', bytes: 'octet_length(r.card)', key: ['id', ''], ofTenant: OF_TENANT, changes: 'card' },
  { name: 'cron_jobs', kind: 'definitions', bytes: 'octet_length(r.input)', key: ['name', ''], ofTenant: OF_TENANT },
];

export const SOURCES: readonly string[] = STORED_TABLES.map(({ name }) => name);
export const KIND_OF_SOURCE: ReadonlyMap<string | null, StorageKind> = new Map(
  STORED_TABLES.map(({ name, kind }) => [name, kind]),
);

/** Bytes null: not counted yet. */
export interface SourceBytes {
  readonly source: string | null;
  readonly bytes: number | null;
  readonly isCounting: number | boolean;
}
export const STORAGE_OF_TENANT = sql<SourceBytes>(({ engine }) =>
  engine === 'sqlite'
    ? `SELECT source, bytes, recount_bytes IS NOT NULL AS "isCounting" FROM tenant_storage WHERE tenant_id = @tenantId`
    : `SELECT b.source, CASE WHEN s.is_counted THEN sum(b.bytes)::bigint END AS bytes, s.is_recounting AS "isCounting"
  FROM tenant_storage s LEFT JOIN tenant_storage_bytes b ON b.tenant_id = s.tenant_id
  WHERE s.tenant_id = @tenantId GROUP BY b.source, s.is_counted, s.is_recounting`,
);

const limitOf = ({ engine }: Dialect, limits = 'limits'): string =>
  engine === 'sqlite' ? `json_extract(${limits}, '$.max_storage_bytes')` : `(${limits}::jsonb ->> 'max_storage_bytes')`;
export const STORAGE_OF_TENANTS = sql<{ readonly tenantId: string; readonly bytes: number | null; readonly maxBytes: number }>(
  (dialect) =>
    `SELECT t.id AS "tenantId", ${
      dialect.engine === 'sqlite'
        ? `${limitOf(dialect, 't.limits')} AS "maxBytes",
    (SELECT CASE count(s.bytes) WHEN count(*) THEN sum(s.bytes) END FROM tenant_storage s WHERE s.tenant_id = t.id) AS bytes`
        : `${limitOf(dialect, 't.limits')}::bigint AS "maxBytes", (SELECT sum(b.bytes)::bigint FROM tenant_storage_bytes b
      JOIN tenant_storage s ON s.tenant_id = b.tenant_id AND s.is_counted WHERE b.tenant_id = t.id) AS bytes`
    } FROM tenants t WHERE ${limitOf(dialect, 't.limits')} IS NOT NULL ORDER BY t.id LIMIT @limit`,
);

// Which tenants are counted

export const TENANTS_WITH_LIMIT = sql<{ readonly id: string }>(
  (dialect) => `SELECT id FROM tenants WHERE ${limitOf(dialect)} IS NOT NULL`,
);
export const COUNTED_TENANTS = sql<{ readonly id: string }>('SELECT DISTINCT tenant_id AS id FROM tenant_storage');
/** SQLite: for each source. */
export const BEGIN_COUNTING = sql(({ engine }) =>
  engine === 'sqlite'
    ? `INSERT INTO tenant_storage (tenant_id, source, recount_bytes) VALUES (@tenantId, @source, 0) ON CONFLICT DO NOTHING`
    : `INSERT INTO tenant_storage (tenant_id, is_counted, is_recounting, counts) VALUES (@tenantId, false, true, 0) ON CONFLICT DO NOTHING`,
);
const deleteOf = (table: string) => sql(({ in: isIn }) => `DELETE FROM ${table} WHERE tenant_id ${isIn('tenantIds')}`);
export const END_COUNTING: Readonly<Record<Dialect['engine'], readonly Statement<unknown>[]>> = {
  sqlite: [deleteOf('tenant_storage')],
  postgres: [deleteOf('tenant_storage'), deleteOf('tenant_storage_bytes')],
};
export const BEGIN_RECOUNT = sql(({ engine, in: isIn }) =>
  engine === 'sqlite'
    ? `UPDATE tenant_storage SET recount_bytes = 0, counted_to = NULL, counted_to2 = NULL WHERE tenant_id ${isIn('tenantIds')}`
    : `UPDATE tenant_storage SET is_recounting = true WHERE tenant_id ${isIn('tenantIds')}`,
);
export const TENANTS_TO_COUNT = sql<{ readonly id: string }>(
  ({ engine }) => `SELECT DISTINCT tenant_id AS id FROM tenant_storage
  WHERE ${engine === 'sqlite' ? 'recount_bytes IS NOT NULL' : 'is_recounting'} ORDER BY tenant_id`,
);

// SQLite: triggers, which exist while tenants are counted; and a count of one table after the other, a page at a time.

const rowOf = (row: 'new' | 'old', text: string): string => text.replaceAll('r.', `${row}.`);

/** `row` says whether the count in progress has come to it: then it is counted there, too. */
function trigger(
  { name, key: [key], key2, ofTenant }: StoredTable,
  on: string,
  row: 'new' | 'old',
  change: string,
): Statement<unknown> {
  const [verb = ''] = on.split(' ', 1);
  const tenant =
    ofTenant === OF_TENANT || ofTenant === undefined ? 'r.tenant_id' : '(SELECT id FROM log_tenants WHERE number = r.tenant)';
  const isReached = key2 === undefined ? `r.${key} <= counted_to` : `(r.${key}, r.${key2}) <= (counted_to, counted_to2)`;
  return sql(`CREATE TRIGGER IF NOT EXISTS storage_${name}_${verb.toLowerCase()} AFTER ${on} BEGIN
    UPDATE tenant_storage SET bytes = bytes + (${change}),
      recount_bytes = recount_bytes + iif(${rowOf(row, isReached)}, ${change}, 0)
      WHERE tenant_id = ${rowOf(row, tenant)} AND source = '${name}';
  END`);
}

function triggersOf(table: StoredTable): readonly Statement<unknown>[] {
  const { name, bytes, changes } = table;
  const [added, removed] = [rowOf('new', bytes), `-(${rowOf('old', bytes)})`];
  return [
    trigger(table, `INSERT ON ${name}`, 'new', added),
    trigger(table, `DELETE ON ${name}`, 'old', removed),
    ...(changes === undefined
      ? []
      : [trigger(table, `UPDATE OF ${changes} ON ${name} WHEN new.${changes} <> old.${changes}`, 'new', `${added} ${removed}`)]),
  ];
}

export const CREATE_TRIGGERS: readonly Statement<unknown>[] = STORED_TABLES.flatMap(triggersOf);
export const dropTrigger = (name: string): Statement<unknown> => sql(`DROP TRIGGER ${name}`);

/** The key of a row. */
export interface CountPlace {
  readonly key: string | number;
  readonly key2: string | number | null;
}

export const SQLITE = {
  engine: 'sqlite',
  triggers: sql<{ readonly name: string }>(
    "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'storage\\_%' ESCAPE '\\'",
  ),
  /** Nulls: the count is at the beginning. */
  place: sql<{ readonly [Column in keyof CountPlace]: CountPlace[Column] | null }>(
    `SELECT counted_to AS key, counted_to2 AS key2 FROM tenant_storage
    WHERE tenant_id = @tenantId AND source = @source AND recount_bytes IS NOT NULL`,
  ),
  advance: sql(`UPDATE tenant_storage SET recount_bytes = recount_bytes + @bytes, counted_to = @key, counted_to2 = @key2
    WHERE tenant_id = @tenantId AND source = @source`),
  complete:
    sql(`UPDATE tenant_storage SET bytes = recount_bytes + @bytes, recount_bytes = NULL, counted_to = NULL, counted_to2 = NULL
    WHERE tenant_id = @tenantId AND source = @source`),
} as const;

export interface CountedTable {
  readonly source: string;
  readonly first: CountPlace;
  /** Rows after a place. */
  readonly page: Statement<CountPlace & { readonly bytes: number }>;
}
export const COUNTED_TABLES: readonly CountedTable[] = STORED_TABLES.map(({ name, bytes, key: [key, first], key2, ofTenant }) => {
  const [columns, place] = key2 === undefined ? [`r.${key}`, '@key'] : [`(r.${key}, r.${key2})`, '(@key, @key2)'];
  return {
    source: name,
    first: { key: first, key2: -1 },
    page: sql(`SELECT r.${key} AS key, ${key2 === undefined ? 'NULL' : `r.${key2}`} AS key2,
      ${ofTenant === undefined ? `iif(${OF_TENANT}, ${bytes}, 0)` : bytes} AS bytes
    FROM ${name} r WHERE ${columns} > ${place}${ofTenant === undefined ? '' : ` AND ${ofTenant}`}
    ORDER BY r.${key}${key2 === undefined ? '' : `, r.${key2}`} LIMIT @limit`),
  };
});

/** PostgreSQL: how much more each source has than was counted, by one statement, which is one snapshot. It reads all rows of some tables. */
export const uncounted = (): Statement<{ readonly source: string; readonly bytes: number }> =>
  sql<{ readonly source: string; readonly bytes: number }>(
    `SELECT c.source, (c.bytes - coalesce((SELECT sum(b.bytes) FROM tenant_storage_bytes b
      WHERE b.tenant_id = @tenantId AND b.source = c.source), 0))::bigint AS bytes
    FROM (${STORED_TABLES.map(
      ({ name, bytes }) => `SELECT '${name}' AS source, coalesce(sum(${bytes}), 0) AS bytes FROM ${name} r WHERE ${OF_TENANT}`,
    ).join('\n    UNION ALL ')}) AS c`,
  );

export const POSTGRES = {
  engine: 'postgres',
  /** A transaction with a lower number may have begun before the last ones that have ended. */
  nextTransaction: sql<{ readonly id: string }>('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS id'),
  allEndedBefore: sql<{ readonly ended: boolean }>(
    'SELECT pg_snapshot_xmin(pg_current_snapshot()) >= CAST(@id AS xid8) AS ended',
  ),
  counts: sql<{ readonly counts: number }>('SELECT counts FROM tenant_storage WHERE tenant_id = @tenantId'),
  add: sql('INSERT INTO tenant_storage_bytes (tenant_id, source, bytes) VALUES (@tenantId, @source, @bytes)'),
  /** Changes nothing if another count was completed since. */
  complete: sql(`UPDATE tenant_storage SET is_counted = true, is_recounting = false, counts = counts + 1
    WHERE tenant_id = @tenantId AND counts = @counts`),
} as const;
