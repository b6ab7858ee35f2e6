import type { FoundMemoryItem, MemoryItemRow, MemoryNamespaceRow } from '../../port/resources/memory.ts';
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
export const MEMORY_ITEMS = sql<MemoryItemRow>(`SELECT ${ITEM} FROM memory_items i
  WHERE i.tenant_id = @tenantId AND i.namespace = ${NAMESPACE} AND i.number < @before AND ${LIVE} ORDER BY i.number DESC LIMIT @limit`);

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

// Full text. `wanted` is a JSON object: the weight of each term, which names the namespace.

/** In how many items each term occurs; PostgreSQL stops counting at `@max`. */
export const MEMORY_TERM_COUNTS = sql<{ readonly term: string; readonly items: number }>(({ engine }) =>
  engine === 'sqlite'
    ? 'SELECT known.term, known.doc AS items FROM json_each(@terms) wanted CROSS JOIN memory_terms known ON known.term = wanted.value'
    : `SELECT wanted.term, (SELECT count(*) FROM (SELECT 1 FROM memory_index x
        WHERE x.terms @@ quote_literal(wanted.term)::tsquery LIMIT @max) counted)::integer AS items
      FROM unnest(@terms::text[]) AS wanted (term)`,
);

/** How often each wanted term occurs in each item that has it; of each term, at most `@max` occurrences are read. */
const occurrences = ({ engine }: Dialect): string =>
  engine === 'sqlite'
    ? `SELECT o.doc AS item, o.weight, min(count(*), 255) AS times FROM (
        SELECT t.doc, t.term, wanted.value AS weight FROM json_each(@wanted) wanted CROSS JOIN memory_occurrences t ON t.term = wanted.key
        LIMIT @max) o GROUP BY o.term, o.doc`
    : `SELECT x.item, wanted.value::float8 AS weight, cardinality(place.positions)::float8 AS times
      FROM (SELECT item, terms FROM memory_index WHERE terms @@ @any::tsquery LIMIT @max) x
        CROSS JOIN LATERAL unnest(x.terms) AS place (lexeme, positions, weights)
        JOIN json_each_text(@wanted::json) AS wanted ON wanted.key = place.lexeme`;

/** Values of the metadata are compared with their types. */
const matchesFilter = ({ engine }: Dialect): string =>
  engine === 'sqlite'
    ? `NOT EXISTS (SELECT 1 FROM json_each(@filter) f
        LEFT JOIN json_each(i.metadata) m ON m.key = f.key WHERE m.type IS NOT f.type OR m.value IS NOT f.value)`
    : 'i.metadata::jsonb @> @filter::jsonb';

/** BM25 with k1 = 1.2 and b = 0.75; weights are the inverse frequencies of the terms. Of items with the same score, the newest first. */
export const SEARCH_MEMORY = sql<FoundMemoryItem>(
  (dialect) => `SELECT ${ITEM}, ranked.score FROM (
    SELECT i.number, sum(o.weight * 2.2 * o.times / (o.times + 0.3 + 0.9 * i.words / @meanWords)) AS score
    FROM (${occurrences(dialect)}) AS o JOIN memory_items i ON i.number = o.item
    WHERE i.tenant_id = @tenantId AND i.namespace = @number AND ${LIVE} AND (@filter = '{}' OR ${matchesFilter(dialect)})
    GROUP BY i.number ORDER BY score DESC, i.number DESC LIMIT @limit) AS ranked
  JOIN memory_items i ON i.number = ranked.number ORDER BY ranked.score DESC, i.number DESC`,
);
