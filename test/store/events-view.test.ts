import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { EVENT_TYPE_ROWS } from '../../store/log/event-types.ts';
import type { EventRow } from '../../store/port/executions.ts';
import type { JsonObject } from '../../store/port/json.ts';
import type { Store } from '../../store/port/store.ts';
import { openPostgres } from '../../store/postgres/open.ts';
import { openSqlite } from '../../store/sqlite/open.ts';
import { FakeClock } from '../support/clock.ts';
import { HMAC_KEY, restoreGolden, serveStore } from '../support/golden-databases.ts';
import { postgresServer } from '../support/postgres.ts';
import { runStatements } from '../support/postgres-server.ts';
import { sampleOf } from '../support/properties.ts';
import { sqliteDatabase } from '../support/stores.ts';
import { anyRows } from './log/any-rows.ts';
import { AT_MS, batch, event, startExecution } from './writes.ts';

const server = postgresServer();
const golden = restoreGolden(server);

/** A row of the view, as both engines give it. */
interface ViewRow {
  readonly tenant_id: string;
  readonly execution_id: string;
  readonly seq: number;
  readonly type: string;
  readonly node_id: string | null;
  readonly at: string;
  readonly at_ms: number;
  readonly actor_id: string;
  readonly actor_type: string;
  readonly on_behalf_of: string | null;
  readonly data: JsonObject;
}

type Read = <Row = ViewRow>(statement: string, tenantId?: string) => Promise<readonly Row[]>;

interface Engine {
  /** A new database: its path or URL. */
  create(): Promise<string>;
  golden(): Promise<string>;
  open(address: string): Promise<Store>;
  /** Reads with the database's own means alone. */
  reader(address: string): Read;
}

const ENGINES: Readonly<Record<'sqlite' | 'postgres', Engine>> = {
  sqlite: {
    create: async () => sqliteDatabase().path,
    golden: () => golden.sqlite('schema-1'),
    open: (path) => openSqlite({ path, nowMs: () => AT_MS, hmacKey: HMAC_KEY }),
    reader: (path) => async (statement) => {
      const db = new Database(path);
      try {
        if (!/^(SELECT|EXPLAIN)/.test(statement)) return db.exec(statement) && [];
        return (db.prepare(statement).all() as { data?: string }[]).map((row) =>
          row.data === undefined ? row : { ...row, data: JSON.parse(row.data) },
        ) as never;
      } finally {
        db.close();
      }
    },
  },
  postgres: {
    create: () => server().createMigrated(),
    golden: () => golden.postgres('schema-1'),
    open: (url) => openPostgres({ url, nowMs: () => AT_MS, hmacKey: HMAC_KEY, poolSize: 2 }),
    reader: (url) => async (statement, tenantId) => {
      const client = new Client({ connectionString: url });
      await client.connect();
      try {
        if (tenantId !== undefined) await client.query("SELECT set_config('jamjet.tenant', $1, false)", [tenantId]);
        const { rows } = await client.query<{ at?: Date; at_ms?: string }>(statement);
        return rows.map((row) =>
          row.at === undefined ? row : { ...row, at: row.at.toISOString(), at_ms: Number(row.at_ms) },
        ) as never;
      } finally {
        await client.end();
      }
    },
  },
};

async function plan(read: Read, engine: string, statement: string): Promise<string> {
  const rows = await read<object>(`EXPLAIN ${engine === 'sqlite' ? 'QUERY PLAN ' : ''}${statement}`);
  return rows.map((row) => Object.values(row).join(' ')).join('\n');
}

/** The row of an event of the execution `exec_1`. */
function viewRow({ seq, type, nodeId, data, atMs, actorId, actorType, onBehalfOf }: EventRow): ViewRow {
  const own = { tenant_id: 'default', execution_id: 'exec_1', seq, type, node_id: nodeId, data };
  const actor = { actor_id: actorId, actor_type: actorType, on_behalf_of: onBehalfOf };
  return { ...own, at: new Date(atMs).toISOString(), at_ms: atMs, ...actor };
}

const LOG = 'SELECT * FROM events ORDER BY execution_id, seq';

describe.each(Object.entries(ENGINES))('the view `events` of %s', (engine, { create, golden: goldenDatabase, open, reader }) => {
  it('has every event of the golden database, with the data that the API gives', async () => {
    const address = await goldenDatabase();
    const clock = new FakeClock(Date.UTC(2026, 10, 27, 15, 20));
    const store = await open(address);
    const { operatorOf } = await serveStore<ApiBody>(store, clock, {});
    const read = reader(address);
    let whole = 0;
    for (const tenantId of ['default', 'acme']) {
      const call = await operatorOf(tenantId);
      for (const { execution_id: id } of (await call('GET', '/executions?limit=200')).executions) {
        const { events } = await call('GET', `/executions/${id}/events`);
        // The runtime goes on meanwhile.
        const until = events.at(-1)?.sequence ?? 0;
        const own = await read(`SELECT * FROM events WHERE execution_id = '${id}' AND seq <= ${until} ORDER BY seq`);
        expect(own.map((row) => [row.tenant_id, row.seq, row.type, row.node_id, row.at])).toEqual(
          events.map(({ sequence, type, node_id = null, created_at }) => [tenantId, sequence, type, node_id, created_at]),
        );
        for (const [index, { data }] of events.entries()) {
          const { patch_from: _patch, output_key: _key, ...stored } = own[index]?.data ?? {};
          if (REPLACED.some((key) => key in stored)) continue;
          expect(data).toMatchObject(stored);
          whole += 1;
        }
        const { rows: stored } = await store.events(id, { after: 0, limit: until });
        expect(own.map(({ data }) => data)).toEqual(stored.map(({ data }) => data));
      }
    }
    expect(whole).toBeGreaterThan(500);
  });

  it('has any event', async () => {
    const address = await create();
    const store = await open(address);
    const read = reader(address);
    let count = 0;
    await fc.assert(
      fc.asyncProperty(anyRows, async (events) => {
        fc.pre(events.length > 0);
        count += 1;
        const id = `exec_${count}`;
        await store.commit(batch(startExecution(id, { events })));
        const rows = await read(`SELECT * FROM events WHERE execution_id = '${id}' ORDER BY seq`);
        const { rows: stored } = await store.events(id, { after: 0, limit: 1_000 });
        expect(rows).toEqual(stored.map((row) => ({ ...viewRow(row), execution_id: id })));
      }),
      { numRuns: sampleOf(100) },
    );
    await store.close();
  });

  it('has each type of event with all of its fields, or none', async () => {
    const address = await create();
    const store = await open(address);
    const events = EVENT_TYPE_ROWS.flatMap(({ type, fields }) => [
      { type, data: {} },
      { type, data: Object.fromEntries(fields.map(({ key }, index) => [key, index])) },
    ]).map((each, index) => event(index + 1, each));
    await store.commit(batch(startExecution('exec_1', { events })));
    expect(await reader(address)(LOG)).toEqual(events.map(viewRow));
    await store.close();
  });

  it('answers the queries of docs/storage.md', async () => {
    const address = await goldenDatabase();
    await (await open(address)).close();
    const queries = [...readFileSync('docs/storage.md', 'utf8').matchAll(/^```sql\n([\s\S]*?)^```/gm)];
    const [log = '', failures = '', cost = ''] = queries.map(([, text]) => text);
    const read = reader(address);
    const [{ execution_id: id } = { execution_id: '' }] = await read(failures);
    expect(await read(failures)).toMatchObject(
      await read(
        `SELECT execution_id, node_id FROM events WHERE tenant_id = 'default' AND type = 'node_failed' ORDER BY at_ms DESC`,
      ),
    );
    expect((await read(log.replace(/exec_\w+/, id))).map(({ type }) => type)).toContain('node_failed');
    expect(await read(cost)).toEqual([]);
  });

  it('reads only the entries of the execution, or of the time, that is asked for', async () => {
    const address = await create();
    const store = await open(address);
    for (let n = 0; n < 100; n += 1) await store.commit(batch(startExecution(`exec_${n}`), startExecution(`other_${n}`)));
    await store.close();
    const read = reader(address);
    if (engine === 'postgres') await read('ANALYZE');
    for (const [condition, index] of [
      [`execution_id = 'exec_7'`, engine === 'sqlite' ? 'log_id=?' : 'log_entries_by_execution'],
      [`tenant_id = 'default' AND at_ms > ${AT_MS + 1}`, 'log_entries_by_time'],
    ])
      expect(await plan(read, engine, `SELECT seq, type FROM events WHERE ${condition}`)).toContain(index);
  });

  it('learns the types that the release knows when the database is opened, and keeps what a later one wrote', async () => {
    const address = await create();
    await (await open(address)).close();
    const read = reader(address);
    const types = () => read<{ type: string; fields: string }>('SELECT type, fields FROM event_types ORDER BY type');
    const before = await types();
    const later = `[${'{"key":"x","value":1},'.repeat(30)}{"key":"x","value":1}]`;
    await read(`DELETE FROM event_types WHERE type = 'node_completed'`);
    await read(`UPDATE event_types SET fields = '[]' WHERE type = 'node_failed'`);
    await read(`UPDATE event_types SET fields = '${later}' WHERE type = 'node_skipped'`);
    await (await open(address)).close();
    const kept = engine === 'sqlite' ? later : JSON.parse(later);
    expect(await types()).toEqual(before.map((row) => (row.type === 'node_skipped' ? { ...row, fields: kept } : row)));
  });
});

describe('the view `events` of postgres', () => {
  it('shows a tenant its own events, also to a role that may only read', async () => {
    const { create, open, reader } = ENGINES.postgres;
    const url = await create();
    const store = await open(url);
    for (const tenantId of ['acme', 'beta']) await store.commit(batch({ ...startExecution(`exec_${tenantId}`), tenantId }));
    await store.close();
    const role = `reader_${Date.now()}`;
    const tables = 'events, event_types, executions, log_entries, log_actors';
    await runStatements(server().url, [`CREATE ROLE ${role} LOGIN`]);
    const ids = 'SELECT DISTINCT execution_id FROM events ORDER BY 1';
    const all = [{ execution_id: 'exec_acme' }, { execution_id: 'exec_beta' }];
    try {
      await reader(url)(`GRANT SELECT ON ${tables} TO ${role}`);
      const asReader = url.replace('//jamjet@', `//${role}@`);
      for (const address of [url, asReader]) {
        expect(await reader(address)(ids, 'acme')).toEqual([{ execution_id: 'exec_acme' }]);
        expect(await reader(address)(ids)).toEqual(all);
      }
      await reader(url)(`REVOKE SELECT ON log_entries FROM ${role}`);
      await expect(reader(asReader)(ids)).rejects.toThrow('permission denied for table log_entries');
    } finally {
      await reader(url)(`DROP OWNED BY ${role}`).catch(() => reader(url)(`REVOKE ALL ON ${tables} FROM ${role}`));
      await runStatements(server().url, [`DROP ROLE ${role}`]);
    }
  });
});

/** The API shows other values in data with these fields: payloads from artifacts, lists and digests of earlier events. */
const REPLACED = ['appended', 'output_spilled', 'state_spilled', 'input_offloaded', 'redacted'];

interface ApiBody {
  readonly executions: readonly { readonly execution_id: string }[];
  readonly events: readonly {
    readonly sequence: number;
    readonly type: string;
    readonly node_id?: string;
    readonly created_at: string;
    readonly data: JsonObject;
  }[];
}
