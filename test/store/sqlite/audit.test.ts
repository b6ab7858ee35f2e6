import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { AuditFault } from '../../../store/port/resources/audit.ts';
import { type SqliteDatabase, sqliteDatabase } from '../../support/stores.ts';
import { AT_MS, batch, context, event, startExecution, step, token } from '../writes.ts';

const KEY = 'a signing key';

/** Three blocks: two executions, a step of the first, a token. */
async function recorded(hmacKey?: string): Promise<SqliteDatabase> {
  const one = sqliteDatabase();
  const store = await one.open(hmacKey === undefined ? {} : { hmacKey });
  const approval = event(2, { type: 'approval_received', actorId: 'bob', request: '{"ip":"::1"}' });
  await store.commit(
    batch(startExecution('exec_1', { events: [event(1), approval] }), startExecution('exec_2', { tenantId: 'acme' })),
  );
  await store.commit(batch(step('exec_1', 2)));
  await store.control({ type: 'token_created', token: token('t1') }, context());
  await store.close();
  return one;
}

function tamper({ path }: SqliteDatabase, sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

async function faultAfter(sql: string, hmacKey?: string): Promise<AuditFault | null> {
  const one = await recorded(hmacKey);
  tamper(one, sql);
  const store = await one.open(hmacKey === undefined ? {} : { hmacKey });
  return (await store.verifyAudit()).fault;
}

const inFirst = { block: 1, reason: 'stream_digest', tenantId: 'default', executionId: 'exec_1' };

describe('the audit chain detects', () => {
  const changes = {
    type: "'node_failed'",
    node_id: "'b'",
    data: "json_set(data, '$.output.step', 7)",
    at_ms: 'at_ms + 1',
    actor_id: "'mallory'",
    actor_type: "'system'",
    on_behalf_of: "'mallory'",
    request: 'NULL',
    tenant_id: "'acme'",
  };
  it.each(Object.entries(changes))('a changed %s of an event', async (column, value) => {
    expect(await faultAfter(`UPDATE events SET ${column} = ${value} WHERE execution_id = 'exec_1' AND seq = 2`)).toEqual(inFirst);
  });

  it('a deleted event', async () => {
    expect(await faultAfter("DELETE FROM events WHERE execution_id = 'exec_1' AND seq = 2")).toEqual(inFirst);
  });

  it('events that were swapped', async () => {
    const swap = (from: number, to: number) => `UPDATE events SET seq = ${to} WHERE execution_id = 'exec_1' AND seq = ${from};`;
    expect(await faultAfter(swap(1, 99) + swap(2, 1) + swap(99, 2))).toEqual(inFirst);
  });

  it('an inserted event', async () => {
    const forged =
      'INSERT INTO events SELECT execution_id, 5, tenant_id, type, node_id, at_ms, actor_id, actor_type, request, data, on_behalf_of FROM events LIMIT 1';
    expect(await faultAfter(forged)).toMatchObject({ block: 3, reason: 'unsealed_rows' });
  });

  it.each(['workflow_id', 'workflow_version', 'revision', 'labels', 'parent_id'])(
    'an execution whose %s was changed',
    async (column) => {
      expect(await faultAfter(`UPDATE executions SET ${column} = 'x' WHERE id = 'exec_1'`)).toEqual(inFirst);
    },
  );

  it('a changed control action', async () => {
    const fault = await faultAfter("UPDATE control_events SET data = replace(data, 'developer', 'operator')");
    expect(fault).toEqual({ block: 3, reason: 'stream_digest', tenantId: 'default', executionId: null });
  });

  it('a block that was removed, rewritten or moved', async () => {
    expect(await faultAfter('DELETE FROM audit_blocks WHERE block = 2')).toMatchObject({ block: 2, reason: 'missing_block' });
    expect(await faultAfter('DELETE FROM audit_blocks WHERE block = 3')).toMatchObject({ block: 2, reason: 'unsealed_rows' });
    expect(await faultAfter("UPDATE audit_blocks SET writer = 'unknown' WHERE block = 2")).toMatchObject({
      block: 2,
      reason: 'block_hash',
    });
    expect(await faultAfter("UPDATE audit_blocks SET streams = 'x' WHERE block = 1")).toMatchObject({
      block: 1,
      reason: 'block_hash',
    });
    const moved = 'UPDATE audit_blocks SET block = 9 WHERE block = 2; UPDATE audit_blocks SET block = 2 WHERE block = 3';
    expect(await faultAfter(moved)).toMatchObject({ block: 2, reason: 'block_hash' });
  });

  it('up to which block the chain is valid', async () => {
    const one = await recorded();
    tamper(one, "UPDATE events SET actor_id = 'mallory' WHERE seq = 3");
    expect(await (await one.open()).verifyAudit()).toMatchObject({ blocks: 1, fault: { block: 2 } });
  });
});

describe('a removal', () => {
  /** Retention has removed the first execution. */
  async function removed(): Promise<SqliteDatabase> {
    const one = await recorded();
    const store = await one.open();
    await store.commit(batch(step('exec_1', 4, { progress: { status: 'completed', completedAtMs: AT_MS } })));
    const { removed: ids } = await store.retention.remove({ after: null, endedBeforeMs: AT_MS + 1 }, context());
    expect(ids).toEqual(['exec_1']);
    await store.close();
    return one;
  }

  async function faultOf(sql: string): Promise<AuditFault | null> {
    const one = await removed();
    tamper(one, sql);
    return (await (await one.open()).verifyAudit()).fault;
  }

  it('by retention is not a fault', async () => {
    expect(await faultOf('SELECT 1')).toBeNull();
  });

  it('by hand is a fault, whatever else was deleted', async () => {
    const one = await recorded();
    tamper(
      one,
      "DELETE FROM events WHERE execution_id = 'exec_1'; PRAGMA foreign_keys = OFF; DELETE FROM executions WHERE id = 'exec_1'",
    );
    expect((await (await one.open()).verifyAudit()).fault).toEqual(inFirst);
  });

  it('is only accepted from its control event', async () => {
    const claim =
      "INSERT INTO removed_executions VALUES ('exec_2', 'acme', 2, 1); DELETE FROM events WHERE execution_id = 'exec_2'";
    expect(await faultOf(claim)).toMatchObject({ block: 1, reason: 'stream_digest', executionId: 'exec_2' });
    expect(await faultOf('DELETE FROM removed_executions')).toEqual(inFirst);
    const renamed = "UPDATE control_events SET data = replace(data, 'exec_1', 'exec_9') WHERE type = 'executions_removed'";
    expect(await faultOf(renamed)).toEqual(inFirst);
  });

  it('does not hide events written after it', async () => {
    const back = `INSERT INTO events VALUES ('exec_1', 9, 'default', 'node_completed', NULL, 1, 'a', 'human', NULL, '{}', NULL)`;
    expect(await faultOf(back)).toMatchObject({ reason: 'unsealed_rows' });
    const data = `json_object('executions', json_array(json_object('id', 'exec_2', 'last_seq', 2)))`;
    const forged = `INSERT INTO control_events VALUES ('acme', 1, 'executions_removed', 1, 'a', 'human', NULL, ${data});
      INSERT INTO removed_executions VALUES ('exec_2', 'acme', 2, 1); DELETE FROM events WHERE execution_id = 'exec_2'`;
    expect(await faultOf(forged)).toMatchObject({ reason: 'unsealed_rows' });
  });
});

describe('a signed chain', () => {
  it('is valid with its key', async () => {
    expect(await (await (await recorded(KEY)).open({ hmacKey: KEY })).verifyAudit()).toMatchObject({ blocks: 3, fault: null });
  });

  it('is invalid with another key, and its hashes can be verified without a key', async () => {
    const one = await recorded(KEY);
    expect((await (await one.open({ hmacKey: 'other' })).verifyAudit()).fault).toMatchObject({ block: 1, reason: 'signature' });
    expect((await (await one.open()).verifyAudit()).fault).toBeNull();
  });

  it('reports unsigned blocks, and continues after them', async () => {
    const one = await recorded(KEY);
    tamper(one, 'UPDATE audit_blocks SET signature = NULL WHERE block <> 2');
    const ranges = [1, 3].map((block) => ({ from: block, to: block }));
    expect(await (await one.open({ hmacKey: KEY })).verifyAudit()).toMatchObject({
      blocks: 3,
      fault: null,
      unsigned: { blocks: 2, ranges },
    });
    expect((await (await one.open()).verifyAudit()).unsigned).toBeNull();
    tamper(one, "UPDATE events SET actor_id = 'mallory' WHERE execution_id = 'exec_2'");
    expect(await (await one.open({ hmacKey: KEY })).verifyAudit()).toMatchObject({
      fault: { reason: 'stream_digest', executionId: 'exec_2' },
    });
  });
});

describe('the writer of a block', () => {
  it('is the command, or the runtime that holds the lock', async () => {
    const one = sqliteDatabase();
    const store = await one.open({ writer: 'token create' });
    await store.commit(batch(startExecution('exec_1')));
    await store.lock({ runtimeId: 'rt_1', pid: 1, startedAtMs: 0 });
    await store.commit(batch(startExecution('exec_2')));
    const db = new Database(one.path, { readonly: true });
    expect(db.prepare('SELECT writer FROM audit_blocks ORDER BY block').pluck().all()).toEqual(['token create', 'rt_1']);
    db.close();
  });
});

describe('the audit log', () => {
  it('can be searched in a migrated database, with the smaller index', async () => {
    const one = await recorded();
    tamper(
      one,
      `ALTER TABLE events DROP COLUMN on_behalf_of; ALTER TABLE executions ADD COLUMN snapshot_seq INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE executions ADD COLUMN snapshot TEXT; DROP TABLE checkpoints;
      CREATE TABLE checkpoints (execution_id TEXT NOT NULL UNIQUE, tenant_id TEXT NOT NULL, snapshot TEXT NOT NULL);
      DROP INDEX tenants_inactive;
      DROP INDEX events_by_time; CREATE INDEX events_by_time ON events (tenant_id, at_ms, type, actor_id);
      DELETE FROM schema_migrations WHERE version >= (SELECT version FROM schema_migrations WHERE name = 'audit_by_time')`,
    );
    const store = await one.open();
    const db = new Database(one.path, { readonly: true });
    expect(db.prepare("SELECT name FROM pragma_index_info('events_by_time')").pluck().all()).toEqual(['tenant_id', 'at_ms']);
    db.close();
    expect((await store.verifyAudit()).fault).toBeNull();
    const page = { limit: 10, offset: 0, after: null };
    const all = await store.audit.find('default', {}, page);
    expect(all.total).toBe(5);
    const { total, entries } = await store.audit.find('default', { type: 'approval_received', actorId: 'bob' }, page);
    expect(total).toBe(1);
    for await (const entry of entries) expect(entry).toMatchObject({ executionId: 'exec_1', seq: 2, actorId: 'bob' });
  });
});
