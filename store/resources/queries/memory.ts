import type { MemoryItemRow, MemoryNamespaceRow } from '../../port/resources/memory.ts';
import { type Dialect, sql } from '../statement.ts';

/** Memory: namespaces, their items, and the items that contain given terms. */

const ITEM = `i.number, i.id, i.text, i.metadata, i.created_at_ms AS "createdAtMs", i.updated_at_ms AS "updatedAtMs",
  i.expires_at_ms AS "expiresAtMs"`;
const LIVE = '(i.expires_at_ms IS NULL OR i.expires_at_ms > @nowMs)';
const NAMESPACE = '(SELECT n.number FROM memory_namespaces n WHERE n.tenant_id = @tenantId AND n.name = @namespace)';

export interface NamespaceTotals {
  readonly number: number;
  readonly items: number;
  readonly words: number;
}

export const MEMORY_NAMESPACES = sql<MemoryNamespaceRow>(`SELECT name, items, bytes, created_at_ms AS "createdAtMs"
  FROM memory_namespaces WHERE tenant_id = @tenantId AND name > @after ORDER BY name LIMIT @limit`);
export const MEMORY_NAMESPACE = sql<NamespaceTotals>(
  'SELECT number, items, words FROM memory_namespaces WHERE tenant_id = @tenantId AND name = @namespace',
);
/** Writes to a namespace wait for each other. */
export const LOCK_MEMORY_NAMESPACE = sql<NamespaceTotals>(
  ({ forUpdate }) =>
    `SELECT number, items, words FROM memory_namespaces WHERE tenant_id = @tenantId AND name = @namespace ${forUpdate}`,
);
export const CREATE_MEMORY_NAMESPACE = sql(`INSERT INTO memory_namespaces (tenant_id, name, items, bytes, words, created_at_ms)
  VALUES (@tenantId, @namespace, 0, 0, 0, @atMs) ON CONFLICT (tenant_id, name) DO NOTHING`);
export const MEMORY_TOTALS = sql<{ readonly namespaces: number; readonly bytes: number }>(
  ({
    engine,
  }) => `SELECT count(*) AS namespaces, ${engine === 'sqlite' ? 'total(bytes)' : 'coalesce(sum(bytes), 0)::float8'} AS bytes
  FROM memory_namespaces WHERE tenant_id = @tenantId`,
);
export const ADD_TO_MEMORY_TOTALS = sql(`UPDATE memory_namespaces SET items = items + @items, bytes = bytes + @bytes,
  words = words + @words WHERE tenant_id = @tenantId AND number = @number`);
export const DELETE_EMPTY_MEMORY_NAMESPACE = sql(
  'DELETE FROM memory_namespaces WHERE tenant_id = @tenantId AND number = @number AND items = 0',
);

export const MEMORY_ITEM = sql<MemoryItemRow>(`SELECT ${ITEM} FROM memory_items i
  WHERE i.tenant_id = @tenantId AND i.namespace = ${NAMESPACE} AND i.id = @id AND ${LIVE}`);
/** Expired ones, too: how many are read does not depend on how many have expired. */
export const MEMORY_NUMBERS = sql<{ readonly number: number; readonly bytes: number; readonly live: number | boolean }>(
  `SELECT i.number, i.bytes, ${LIVE} AS live FROM memory_items i
  WHERE i.tenant_id = @tenantId AND i.namespace = @number AND i.number < @before ORDER BY i.number DESC LIMIT @limit`,
);

export interface StoredSize {
  readonly id: string;
  readonly bytes: number;
  readonly words: number;
}
export const MEMORY_SIZES = sql<StoredSize>(
  ({ in: isIn }) => `SELECT id, bytes, words FROM memory_items
  WHERE tenant_id = @tenantId AND namespace = @number AND id ${isIn('ids')}`,
);
export const PUT_MEMORY_ITEM =
  sql(`INSERT INTO memory_items (tenant_id, namespace, id, created_at_ms, updated_at_ms, expires_at_ms, bytes,
    words, metadata, text, terms)
  VALUES (@tenantId, @number, @id, @atMs, @atMs, @expiresAtMs, @bytes, @words, @metadata, @text, @terms)
  ON CONFLICT (namespace, id) DO UPDATE SET updated_at_ms = excluded.updated_at_ms, expires_at_ms = excluded.expires_at_ms,
    bytes = excluded.bytes, words = excluded.words, metadata = excluded.metadata, text = excluded.text, terms = excluded.terms`);

export const MEMORY_ITEMS_TO_REMOVE = sql<StoredSize>(
  `SELECT id, bytes, words FROM memory_items WHERE tenant_id = @tenantId AND namespace = @number ORDER BY number LIMIT @limit`,
);
export const DELETE_MEMORY_ITEMS = sql(
  ({ in: isIn }) => `DELETE FROM memory_items WHERE tenant_id = @tenantId AND namespace = @number AND id ${isIn('ids')}`,
);

export const TENANTS_WITH_EXPIRED_MEMORY = sql<{ readonly tenantId: string }>(`SELECT DISTINCT e.tenant_id AS "tenantId" FROM (
  SELECT tenant_id FROM memory_items WHERE expires_at_ms <= @nowMs ORDER BY expires_at_ms LIMIT 1000) AS e`);
export const EXPIRED_MEMORY_NAMESPACE = sql<{ readonly namespace: string }>(`SELECT n.name AS namespace FROM memory_items i
  JOIN memory_namespaces n ON n.number = i.namespace WHERE i.tenant_id = @tenantId AND i.expires_at_ms <= @nowMs
  ORDER BY i.expires_at_ms LIMIT 1`);
export const EXPIRED_MEMORY_ITEMS = sql<StoredSize>(
  ({ indexedBy }) => `SELECT id, bytes, words FROM memory_items ${indexedBy('memory_items_by_expiry')}
  WHERE expires_at_ms <= @nowMs AND tenant_id = @tenantId AND namespace = @number ORDER BY expires_at_ms LIMIT @limit`,
);

// The index: the items that have a term. Terms name their namespaces.

/** In how many items each term occurs; PostgreSQL stops counting at `@max`. */
export const MEMORY_TERM_COUNTS = sql<{ readonly term: string; readonly items: number }>(({ engine }) =>
  engine === 'sqlite'
    ? 'SELECT known.term, known.doc AS items FROM json_each(@terms) wanted CROSS JOIN memory_terms known ON known.term = wanted.value'
    : `SELECT wanted.term, (SELECT count(*) FROM (SELECT 1 FROM memory_index x
        WHERE x.terms @@ quote_literal(wanted.term)::tsquery LIMIT @max) counted)::integer AS items
      FROM unnest(@terms::text[]) AS wanted (term)`,
);

/**
 * The items that have a term, from @from, the newest first; SQLite reads one list (@term), PostgreSQL several (@terms), up to @limit items of each. The
 * additions keep PostgreSQL from reading all items by number.
 */
export const MEMORY_ENTRIES = sql<{ readonly term: string; readonly item: number }>(({ engine }) =>
  engine === 'sqlite'
    ? `SELECT @term AS term, rowid AS item FROM memory_index
      WHERE memory_index MATCH '"' || @term || '"' AND rowid >= @from AND rowid < @before ORDER BY rowid DESC LIMIT @limit`
    : `SELECT wanted.term, found.item FROM unnest(@terms::text[]) AS wanted (term) CROSS JOIN LATERAL (SELECT x.item FROM memory_index x
        WHERE x.terms @@ quote_literal(wanted.term)::tsquery AND x.item + 0 >= @from AND x.item + 0 < @before
        ORDER BY x.item + 0 DESC LIMIT @limit) AS found`,
);

const among = ({ engine }: Dialect): string =>
  engine === 'sqlite' ? 'i.number IN (SELECT value + 0 FROM json_each(@items))' : 'i.number = ANY(@items::bigint[])';

/** What the rank of items depends on; without the metadata unless it is needed. */
export const MEMORY_CANDIDATES = sql<{ readonly item: number; readonly words: number; readonly metadata: string | null }>(
  (dialect) => `SELECT i.number AS item, i.words, CASE WHEN @filtered THEN i.metadata END AS metadata FROM memory_items i
  WHERE ${among(dialect)} AND i.tenant_id = @tenantId AND i.namespace = @number AND ${LIVE}`,
);
export const MEMORY_ITEMS_BY_NUMBER = sql<MemoryItemRow>(
  (dialect) => `SELECT ${ITEM} FROM memory_items i WHERE ${among(dialect)} AND i.tenant_id = @tenantId AND i.namespace = @number`,
);
