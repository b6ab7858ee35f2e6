import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodeStored } from '../../../store/log/decode.ts';
import type { LogEntry } from '../../../store/log/entry.ts';
import { typeTokens } from '../../../store/log/type-tokens.ts';
import type { ConversionProgress } from '../../../store/port/conversion.ts';
import { openPostgres } from '../../../store/postgres/open.ts';
import { ACTOR_OF_ENTRY, ENTRY } from '../../../store/postgres/queries/log.ts';
import { HMAC_KEY, restorePostgres, superuserOf } from '../../support/golden-databases.ts';
import { postgresServer } from '../../support/postgres.ts';

const server = postgresServer();
/** Copies of the golden database's executions: several batches. */
const COPIES = 50;

/** Copies executions with their logs, each under another id. No audit block seals the copies. */
const COPY = [
  `INSERT INTO executions (id, tenant_id, workflow_id, workflow_version, revision, labels, parent_id, depth, deadline_at_ms, created_at_ms, status,
    seq, steps, error, local_work, owner, updated_at_ms, completed_at_ms, snapshot_seq, snapshot)
  SELECT id || '-' || n, tenant_id, workflow_id, workflow_version, revision, labels, parent_id, depth, deadline_at_ms, created_at_ms, status, seq,
    steps, error, local_work, owner, updated_at_ms, completed_at_ms, 0, NULL FROM executions, generate_series(1, ${COPIES}) AS n`,
  `INSERT INTO events (execution_id, seq, tenant_id, type, node_id, at_ms, actor_id, actor_type, on_behalf_of, request, data)
  SELECT execution_id || '-' || n, seq, tenant_id, type, node_id, at_ms, actor_id, actor_type, on_behalf_of, request, data
  FROM events, generate_series(1, ${COPIES}) AS n ORDER BY n, position`,
  // Gaps between positions, and logs of executions that have no row.
  'DELETE FROM events WHERE position > 1000 AND position % 97 = 0',
  "DELETE FROM executions WHERE id LIKE '%-7'",
];

const ROWS = `SELECT v.position, x.id AS "executionId", v.tenant_id AS "tenantId", v.seq, v.type, v.node_id AS "nodeId", v.data, v.at_ms AS "atMs",
    v.actor_id AS "actorId", v.actor_type AS "actorType", v.on_behalf_of AS "onBehalfOf", v.request
  FROM events v LEFT JOIN executions x ON x.id = v.execution_id ORDER BY v.position`;
const ENTRIES = `SELECT e.position, x.id AS "executionId", e.tenant_id AS "tenantId", e.types, ${ENTRY}
  FROM log_entries e LEFT JOIN executions x USING (log_id) ${ACTOR_OF_ENTRY} ORDER BY e.position`;

type Placed = { readonly position: string; readonly executionId: string | null; readonly tenantId: string };

async function using<T>(url: string, read: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: superuserOf(server(), url) });
  await client.connect();
  try {
    return await read(client);
  } finally {
    await client.end();
  }
}

const rowsOf = (url: string) =>
  using(url, async (client) => {
    const { rows } = await client.query<Placed & { seq: number; atMs: string }>(ROWS);
    return rows.map((row) => ({ ...row, position: Number(row.position), atMs: Number(row.atMs) }));
  });

const entriesOf = (url: string) =>
  using(url, async (client) => {
    const { rows } = await client.query<LogEntry & Placed & { readonly types: string }>(ENTRIES);
    return rows.flatMap(({ position, executionId, tenantId, types, ...stored }) => {
      const events = decodeStored({ ...stored, atMs: Number(stored.atMs) });
      expect(types).toBe(typeTokens(events));
      return events.map((event, index) => ({
        position: Number(position) - events.length + 1 + index,
        executionId,
        tenantId,
        ...event,
      }));
    });
  });

const oldDatabase = (): Promise<string> => restorePostgres(server(), 'schema-13-interrupted', COPY);

async function open(url: string, onConversion: (progress: ConversionProgress) => void = () => {}) {
  const store = await openPostgres({
    url,
    onConversion,
    nowMs: () => Date.UTC(2026, 10, 27, 5, 30),
    hmacKey: HMAC_KEY,
    poolSize: 2,
  });
  onTestFinished(() => store.close());
  return store;
}

/** Entries of the database that other connections see; 0 before its migration. */
async function entryCount(client: Client): Promise<number> {
  const { rows } = await client.query<{ exists: boolean }>("SELECT to_regclass('log_entries') IS NOT NULL AS exists");
  if (rows[0]?.exists !== true) return 0;
  const counts = await client.query<{ events: string | null }>('SELECT sum(events) AS events FROM log_entries');
  return Number(counts.rows[0]?.events ?? 0);
}

/** Opens the database, and breaks every connection to it once more events are converted. Whether the store was still opening then. */
async function isBroken(url: string): Promise<boolean> {
  return using(url, async (client) => {
    const before = await entryCount(client);
    const opening = openPostgres({ url, nowMs: Date.now, poolSize: 1 }).then(async (store) => {
      await store.close();
      return false;
    });
    let isOver = false;
    const broken = opening
      .catch(() => true)
      .finally(() => {
        isOver = true;
      });
    while (!isOver && (await entryCount(client)) <= before) {}
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    return broken;
  });
}

describe('opening a PostgreSQL database of schema version 13', () => {
  it('keeps every event in its place, those of executions without a row too', async () => {
    const url = await oldDatabase();
    const before = await rowsOf(url);
    const reports: ConversionProgress[] = [];
    const store = await open(url, (progress) => reports.push(progress));
    expect(await entriesOf(url)).toEqual(before);
    const total = (before.at(-1)?.position ?? 0) - (before[0]?.position ?? 0) + 1;
    expect(reports.length).toBeGreaterThan(1);
    expect(reports.at(-1)).toEqual({ events: total, total });
    expect(await store.log.end()).toContain(String(before.at(-1)?.position));
  });

  it('continues after its connection was broken several times, and loses and repeats nothing', async () => {
    const url = await oldDatabase();
    const before = await rowsOf(url);
    let times = 0;
    while (await isBroken(url)) times += 1;
    expect(times).toBeGreaterThan(2);
    await open(url);
    expect(await entriesOf(url)).toEqual(before);
  });

  it('is shared by several that open it at once', async () => {
    const url = await oldDatabase();
    const before = await rowsOf(url);
    await Promise.all([open(url), open(url), open(url)]);
    expect(await entriesOf(url)).toEqual(before);
  });
});
