import { renameSync } from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { readiness, readinessChecks } from '../../../src/api/readiness.ts';
import { api } from '../support/api.ts';

const SCHEMA = { schemaVersion: 19, newestVersion: 19 };
const READY = { databaseFault: null, schema: SCHEMA, isOverloaded: false, isStopping: false } as const;

describe('GET /health/live', () => {
  it('needs no token and says nothing but that the process answers', async () => {
    const { get } = await api();
    expect(await get('/health/live', { as: null })).toMatchObject({ status: 200, body: { status: 'ok' } });
  });
});

describe('GET /health/ready', () => {
  it('needs no token and tells of each check', async () => {
    const { get } = await api();
    expect(await get('/health/ready', { as: null })).toMatchObject({
      status: 200,
      body: { status: 'ready', checks: { database: 'ok', migrations: 'ok', backlog: 'ok', shutdown: 'ok' } },
    });
  });

  it('is 503 while the database is missing, and names no path', async () => {
    const { get, path } = await api();
    renameSync(path, `${path}.away`);
    const { status, headers, body } = await get('/health/ready', { as: null });
    expect([status, headers['retry-after']]).toEqual([503, '2']);
    expect(body).toEqual({
      status: 'not_ready',
      error: 'service unavailable: not ready: database (replaced)',
      code: 'not_ready',
      failed: ['database'],
      checks: { database: 'replaced', migrations: 'unknown', backlog: 'ok', shutdown: 'ok' },
    });
    expect((await get('/health/live', { as: null })).status).toBe(200);
    renameSync(`${path}.away`, path);
    expect((await get('/health/ready', { as: null })).status).toBe(200);
  });

  it('is 503 once a later release has migrated the database', async () => {
    const { get, path } = await api();
    const database = new Database(path);
    database.exec("INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (999, 'later', 0)");
    database.close();
    expect(await get('/health/ready', { as: null })).toMatchObject({ status: 503, body: { failed: ['migrations'] } });
  });
});

describe('readiness', () => {
  it('names every check that has failed', () => {
    const checks = readinessChecks({ databaseFault: 'store_full', schema: SCHEMA, isOverloaded: true, isStopping: true });
    expect(readiness(checks)).toMatchObject({
      status: 'not_ready',
      error: 'service unavailable: not ready: database (full), backlog (overloaded), shutdown (shutting_down)',
      failed: ['database', 'backlog', 'shutdown'],
    });
  });

  it('holds with an older schema, which a server before an upgrade of the database may have', () => {
    expect(readiness(readinessChecks(READY)).status).toBe('ready');
    const newer = { schemaVersion: 20, newestVersion: 19 };
    expect(readiness(readinessChecks({ ...READY, schema: newer }))).toMatchObject({ failed: ['migrations'] });
  });
});
