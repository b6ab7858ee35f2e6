import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { longestTurnMs } from '../../support/longest-turn.ts';
import { sqliteDatabase } from '../../support/stores.ts';
import { batch, context, startExecution } from '../writes.ts';

const OPERATORS = context({ tenantId: 'operators' });
const triggersOf = (path: string): number => {
  const db = new Database(path, { readonly: true });
  const sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%tenant_storage%'";
  const count = db.prepare<[], number>(sql).pluck().get();
  db.close();
  return count ?? 0;
};

describe('storage of tenants in SQLite', () => {
  it('has triggers only while a tenant has a limit', async () => {
    const database = sqliteDatabase();
    const store = await database.open();
    await store.storage.follow();
    expect(triggersOf(database.path)).toBe(0);
    await store.tenants.update('default', { limits: '{"max_storage_bytes":1}' }, OPERATORS);
    await store.storage.follow();
    expect(triggersOf(database.path)).toBeGreaterThan(20);
    await store.tenants.update('default', { limits: null }, OPERATORS);
    await store.storage.follow();
    expect(triggersOf(database.path)).toBe(0);
  });

  it('is counted anew when a trigger is missing, as after a migration that replaced its table', async () => {
    const database = sqliteDatabase();
    const store = await database.open();
    await store.tenants.update('default', { limits: '{"max_storage_bytes":1}' }, OPERATORS);
    await store.storage.follow();
    await store.storage.count('default', () => true);
    const triggers = triggersOf(database.path);
    const db = new Database(database.path);
    db.exec('DROP TRIGGER storage_log_entries_insert');
    db.close();
    await store.commit(batch(startExecution('exec_1')));
    expect(await store.storage.follow()).toEqual(['default']);
    await store.storage.count('default', () => true);
    expect(triggersOf(database.path)).toBe(triggers);
    const counted = await store.storage.of('default');
    await store.storage.requestRecount('default', OPERATORS);
    await store.storage.count('default', () => true);
    expect(await store.storage.of('default')).toEqual(counted);
  });

  it('is counted in pieces between which other work goes on', async () => {
    const store = await sqliteDatabase().open();
    for (let n = 0; n < 40; n += 1) {
      const ids = Array.from({ length: 500 }, (_, i) => `exec_${String(n * 500 + i).padStart(6, '0')}`);
      await store.commit(batch(...ids.map((id) => startExecution(id, { tenantId: n % 2 === 0 ? 'default' : 'acme' }))));
    }
    await store.tenants.update('default', { limits: '{"max_storage_bytes":1}' }, OPERATORS);
    await store.storage.follow();
    const turnsMs: number[] = [];
    // The least of them counts: another thread's garbage collection is none of the count's.
    for (let n = 0; n < 3; n += 1) {
      await store.storage.requestRecount('default', OPERATORS);
      turnsMs.push(await longestTurnMs(() => store.storage.count('default', () => true)));
    }
    expect(Math.min(...turnsMs)).toBeLessThan(20);
    expect(await store.storage.of('default')).toMatchObject({ bytes: expect.any(Number), isCounting: false });
  });
});
