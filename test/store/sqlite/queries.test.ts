import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqlite } from '../../../store/sqlite/open.ts';
import {
  countAudited,
  countAuditedOf,
  ENTRY_RANGE,
  EVENT_POSITION,
  LAST_SEQ,
  pageOfAudited,
  pageOfAuditedOf,
} from '../../../store/sqlite/queries/audit.ts';
import {
  INDEX_SCANS,
  type IndexScan,
  scanIds,
  scanIdsOfVersion,
  statusesAlong,
} from '../../../store/sqlite/queries/executions.ts';
import { exportsOf, resourceStatements } from '../statements.ts';

const ALL_INDEX_SCANS = Object.keys(INDEX_SCANS) as readonly IndexScan[];

/** A search ranks what it has found, and expired items are found by time. */
const RANKED = new Set(['SEARCH_MEMORY', 'TENANTS_WITH_EXPIRED_MEMORY']);
/** Statements that read all rows on purpose; the list of all tenants follows the table's own order, their policies are read when one changes. */
const WHOLE_TABLES = new Set([
  'COUNT_AUDITED',
  'TENANT_RECORDS',
  'TENANT_POLICIES',
  'COUNT_BY_STATUS',
  'COUNT_EVENTS',
  'COUNT_CONTENT',
]);

const queries = await exportsOf(new URL('../../../store/sqlite/queries/', import.meta.url));
const resources = await resourceStatements('sqlite');

function statements(): readonly (readonly [name: string, sql: string])[] {
  const named = [...queries, ...resources].flatMap(([name, sql]) =>
    typeof sql === 'string' && /^(SELECT|INSERT|UPDATE|DELETE|WITH) /.test(sql) && !WHOLE_TABLES.has(name) && !RANKED.has(name)
      ? [[name, sql] as const]
      : [],
  );
  const scans = (['newest', 'oldest'] as const).flatMap((order) => [
    ...ALL_INDEX_SCANS.map((scan) => [`scanIds ${scan}, ${order} first`, scanIds(scan, order)] as const),
    [`scanIdsOfVersion, ${order} first`, scanIdsOfVersion(order)] as const,
  ]);
  const counts = (['parent', 'label', 'labelValue', 'workflow'] as const).map(
    (scan) => [`statusesAlong ${scan}`, statusesAlong(scan)] as const,
  );
  const audits = [0, 1, 2, 3].flatMap((bits) => {
    const by = { type: (bits & 1) > 0, actorId: (bits & 2) > 0 };
    const builders = { countAudited, countAuditedOf, pageOfAuditedOf };
    return Object.entries(builders).map(([name, build]) => [`${name} ${JSON.stringify(by)}`, build(by)] as const);
  });
  return [...named, ...scans, ...counts, ...audits];
}

/** All requests of a tenant. */
const OF_TENANT = /^SEARCH idempotency USING .*\(tenant_id=\?\)$/;

/** Scans of tables that grow without bound, by table or alias. Scans of partial indexes with few entries are fine. */
const SCAN =
  /^SCAN (executions|execution_labels|jobs|retried_executions|log_entries|log_actors|log_tenants|checkpoints|control_events|timers|work_items|workflows|idempotency|tokens|tenants|webhook_deliveries|log_cuts|tenant_usage|inbox|cron_jobs|artifacts|artifact_refs|r|agents|agent_traits|agent_events|leases|memory_items|memory_namespaces|e|i|l|w|a|t|c|d|x|p|j)\b(?!.* INDEX (executions_with_local_work|tenants_with_retention|tenants_with_storage_limit|tenants_inactive|jobs_running)$)/;

/** One database without rows for all plans, which do not depend on rows. */
const folder = mkdtempSync(join(tmpdir(), 'jamjet-queries-'));
let db: Database.Database;
beforeAll(async () => {
  const path = join(folder, 'runtime.db');
  await (await openSqlite({ path, nowMs: () => 0 })).close();
  db = new Database(path, { readonly: true });
});
afterAll(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

function plan(sql: string): readonly string[] {
  const rows = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql.replaceAll(/\?|@\w+/g, '1')}`).all();
  return rows.map((row) => row.detail);
}

describe('every statement finds its rows by an index, and in order', () => {
  it.each(statements())('%s', (_name, sql) => {
    expect(plan(sql).filter((detail) => SCAN.test(detail) || OF_TENANT.test(detail) || detail.includes('TEMP B-TREE'))).toEqual(
      [],
    );
  });
});

describe('the audit log', () => {
  it.each(
    [countAudited, pageOfAudited].flatMap((build) => [
      [build({ type: false, actorId: false }), 'COVERING INDEX'] as const,
      [build({ type: true, actorId: false }), 'INDEX'] as const,
      [build({ type: false, actorId: true }), 'INDEX'] as const,
      [build({ type: true, actorId: true }), 'INDEX'] as const,
    ]),
  )('is counted and paged within a slice along an index, which covers it when there is no filter: %s', (sql, along) => {
    const searches = plan(sql).filter((detail) => / (log_entries|control_events) /.test(detail));
    expect(searches).toEqual([
      `SEARCH log_entries USING ${along} log_entries_by_time (tenant=? AND at_ms>? AND at_ms<?)`,
      'SEARCH control_events USING COVERING INDEX control_events_by_time (tenant_id=? AND at_ms>? AND at_ms<?)',
    ]);
  });
});

describe('the log of one execution', () => {
  const all = { type: true, actorId: true };
  it.each([ENTRY_RANGE, LAST_SEQ, EVENT_POSITION, countAuditedOf(all), pageOfAuditedOf(all)])('is found by its id: %s', (sql) => {
    const searches = plan(sql).filter((detail) => / (log_entries|l) /.test(detail));
    expect(searches).toEqual([
      expect.stringMatching(/^SEARCH (log_entries|l) USING .*INDEX sqlite_autoindex_log_entries_1 \(log_id=/),
    ]);
  });
});

describe('a list of executions', () => {
  it.each([...ALL_INDEX_SCANS.map((scan) => scanIds(scan, 'newest')), scanIdsOfVersion('oldest')])(
    'reads an index only: %s',
    (sql) => {
      expect(plan(sql)).toEqual([expect.stringMatching(/COVERING INDEX|USING PRIMARY KEY/)]);
    },
  );
});
