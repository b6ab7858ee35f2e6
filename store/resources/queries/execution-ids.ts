import { type Dialect, sql } from '../statement.ts';

/** What one slice of ids holds. */
export interface IdSlice {
  /** The last id of the slice; null = there were none. */
  readonly last: string | null;
  readonly seen: number;
  /** Ids that end with the searched part. */
  readonly ending: readonly string[];
  /** Ids that contain it, those above included. */
  readonly containing: readonly string[];
}

interface StoredSlice {
  readonly last: string | null;
  readonly seen: number;
  /** JSON texts of lists. */
  readonly ending: string | null;
  readonly containing: string | null;
}

const collect = ({ engine }: Dialect, condition: string): string =>
  engine === 'sqlite' ? `json_group_array(id) FILTER (WHERE ${condition})` : `(json_agg(id) FILTER (WHERE ${condition}))::text`;

/** Looks for a part of an id among `@slice` ids of a tenant before `@before`, newest first, along an index of ids alone. */
export const SEARCH_IDS = sql<IdSlice>(
  (dialect) => {
    const isSqlite = dialect.engine === 'sqlite';
    const position = isSqlite ? 'instr' : 'strpos';
    // The range of the tenant makes PostgreSQL read this index, and not that of the primary key.
    const range = isSqlite
      ? 'tenant_id = @tenantId AND id < @before ORDER BY id DESC'
      : '(tenant_id, id) < (@tenantId, @before) AND tenant_id >= @tenantId ORDER BY tenant_id DESC, id DESC';
    return `SELECT min(id) AS last, count(*) AS seen, ${collect(dialect, 'substr(id, @tail) = @part')} AS ending,
    ${collect(dialect, `${position}(id, @part) > 0`)} AS containing
  FROM (SELECT id FROM executions ${dialect.indexedBy('executions_by_tenant')} WHERE ${range}
    LIMIT @slice) AS ids`;
  },
  ({ last, seen, ending, containing }: StoredSlice) => ({
    last,
    seen: Number(seen),
    ending: listOf(ending),
    containing: listOf(containing),
  }),
);

function listOf(text: string | null): readonly string[] {
  return text === null ? [] : (JSON.parse(text) as readonly string[]);
}
