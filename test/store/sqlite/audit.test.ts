import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { AuditEntry, AuditFault, AuditFilter, AuditPageRequest, AuditStore } from '../../../store/port/resources/audit.ts';
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

/** The entry with the second event of the first execution. */
const SECOND = "log_id = (SELECT log_id FROM executions WHERE id = 'exec_1') AND seq = 2";

describe('the audit chain detects', () => {
  const changes = {
    body: 'replace(body, \'"step":2\', \'"step":7\')',
    events: 'events + 1',
    seq: '3',
    at_ms: 'at_ms + 1',
    actor: 'actor - 1',
    request: 'NULL',
    tenant: "(SELECT number FROM log_tenants WHERE id = 'acme')",
  };
  it.each(Object.entries(changes))('a changed %s of an entry', async (column, value) => {
    expect(await faultAfter(`UPDATE log_entries SET ${column} = ${value} WHERE ${SECOND}`)).toEqual(inFirst);
  });

  it.each(['id', 'type', 'on_behalf_of'])('a changed %s of an actor', async (column) => {
    expect(await faultAfter(`UPDATE log_actors SET ${column} = 'agent' WHERE id = 'bob'`)).toEqual(inFirst);
  });

  it('an actor that was removed', async () => {
    expect(await faultAfter("DELETE FROM log_actors WHERE id = 'bob'")).toEqual(inFirst);
  });

  it('a renamed tenant', async () => {
    const fault = await faultAfter("UPDATE log_tenants SET id = 'other' WHERE id = 'acme'");
    expect(fault).toMatchObject({ block: 1, reason: 'stream_digest', executionId: 'exec_2' });
  });

  it('a deleted entry', async () => {
    expect(await faultAfter(`DELETE FROM log_entries WHERE ${SECOND}`)).toEqual(inFirst);
  });

  it('entries that were swapped', async () => {
    const swap = (from: number, to: number) =>
      `UPDATE log_entries SET seq = ${to} WHERE log_id = (SELECT log_id FROM executions WHERE id = 'exec_1') AND seq = ${from};`;
    expect(await faultAfter(swap(1, 99) + swap(2, 1) + swap(99, 2))).toEqual(inFirst);
  });

  it('the log of another execution', async () => {
    const swap = (from: string, to: string) => `UPDATE log_entries SET log_id = ${to} WHERE log_id = ${from};`;
    const log = (id: string) => `(SELECT log_id FROM executions WHERE id = '${id}')`;
    expect(await faultAfter(swap(log('exec_1'), '99') + swap(log('exec_2'), log('exec_1')))).toEqual(inFirst);
  });

  it.each([1, 0])('an inserted entry of %i events', async (events) => {
    const forged = `INSERT INTO log_entries (position, log_id, seq, events, tenant, at_ms, actor, body)
      SELECT 99, log_id, 5, ${events}, tenant, at_ms, actor, body FROM log_entries WHERE ${SECOND}`;
    expect(await faultAfter(forged)).toMatchObject({ block: 3, reason: 'unsealed_rows' });
  });

  it.each(['workflow_id', 'workflow_version', 'labels', 'parent_id'])('an execution whose %s was changed', async (column) => {
    expect(await faultAfter(`UPDATE executions SET ${column} = 'x' WHERE id = 'exec_1'`)).toEqual(inFirst);
  });

  it('an execution whose revision was changed', async () => {
    expect(await faultAfter("UPDATE executions SET revision = 9 WHERE id = 'exec_1'")).toEqual(inFirst);
    expect(await faultAfter("UPDATE log_revisions SET hash = 'x'")).toEqual(inFirst);
  });

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
    expect(await faultAfter("UPDATE audit_blocks SET streams = x'ff' WHERE block = 1")).toMatchObject({
      block: 1,
      reason: 'block_hash',
    });
    const moved = 'UPDATE audit_blocks SET block = 9 WHERE block = 2; UPDATE audit_blocks SET block = 2 WHERE block = 3';
    expect(await faultAfter(moved)).toMatchObject({ block: 2, reason: 'block_hash' });
  });

  it('up to which block the chain is valid', async () => {
    const one = await recorded();
    tamper(one, 'UPDATE log_entries SET at_ms = 1 WHERE seq = 4');
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

  const DELETE_SECOND = "DELETE FROM log_entries WHERE log_id = (SELECT log_id FROM executions WHERE id = 'exec_2')";

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
      `PRAGMA foreign_keys = OFF; DELETE FROM log_entries WHERE log_id = (SELECT log_id FROM executions WHERE id = 'exec_1');
      DELETE FROM executions WHERE id = 'exec_1'`,
    );
    expect((await (await one.open()).verifyAudit()).fault).toEqual(inFirst);
  });

  it('is only accepted from its control event', async () => {
    const claim = `INSERT INTO removed_executions VALUES ('exec_2', 'acme', 2, 1); ${DELETE_SECOND}`;
    expect(await faultOf(claim)).toMatchObject({ block: 1, reason: 'stream_digest', executionId: 'exec_2' });
    expect(await faultOf('DELETE FROM removed_executions')).toEqual(inFirst);
    const renamed = "UPDATE control_events SET data = replace(data, 'exec_1', 'exec_9') WHERE type = 'executions_removed'";
    expect(await faultOf(renamed)).toEqual(inFirst);
  });

  it('does not hide events written after it', async () => {
    const back = "INSERT INTO log_entries VALUES (99, 99, 9, 1, 1, 1, 1, NULL, char(10) || 'L')";
    expect(await faultOf(back)).toMatchObject({ reason: 'unsealed_rows' });
    const data = `json_object('executions', json_array(json_object('id', 'exec_2', 'last_seq', 2)))`;
    const forged = `INSERT INTO control_events VALUES ('acme', 1, 'executions_removed', 1, 'a', 'human', NULL, ${data});
      INSERT INTO removed_executions VALUES ('exec_2', 'acme', 2, 1); ${DELETE_SECOND}`;
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
    tamper(one, "UPDATE log_entries SET at_ms = 1 WHERE log_id = (SELECT log_id FROM executions WHERE id = 'exec_2')");
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
  const page = { limit: 3, offset: 0, after: null };

  async function found(store: AuditStore, filter: AuditFilter, request: Partial<AuditPageRequest> = {}) {
    const { total, entries, next } = await store.find('default', filter, { ...page, ...request });
    const list: AuditEntry[] = [];
    for await (const entry of entries) list.push(entry);
    return { total, places: list.map(({ executionId, seq }) => `${executionId ?? 'control'} ${seq}`), next };
  }

  it.each<[string, AuditFilter, readonly string[]]>([
    ['all events', {}, ['exec_1 6', 'exec_1 5', 'exec_1 4', 'exec_1 3', 'exec_2 2', 'exec_2 1', 'exec_1 2', 'exec_1 1']],
    ['a type', { type: 'node_failed' }, ['exec_1 6', 'exec_1 4', 'exec_2 2', 'exec_1 2']],
    ['an execution', { executionId: 'exec_1' }, ['exec_1 6', 'exec_1 5', 'exec_1 4', 'exec_1 3', 'exec_1 2', 'exec_1 1']],
    ['a type of an execution', { executionId: 'exec_1', type: 'node_failed' }, ['exec_1 6', 'exec_1 4', 'exec_1 2']],
    ['an unknown type', { type: 'novelty' }, []],
  ])('is cut into pages within entries: %s', async (_name, filter, places) => {
    const store = await sqliteDatabase().open();
    const failed = (from: number) => ({ events: [event(from), event(from + 1, { type: 'node_failed' })] });
    await store.commit(batch(startExecution('exec_1', failed(1)), startExecution('exec_2', failed(1))));
    await store.commit(batch(step('exec_1', 2, failed(3))));
    await store.commit(batch(step('exec_1', 4, failed(5))));
    for (let limit = 1; limit <= 4; limit += 1) {
      const read: string[] = [];
      for (let after: AuditPageRequest['after'] = null; ; ) {
        const part = await found(store.audit, filter, { limit, after });
        expect(part.total).toBe(places.length);
        read.push(...part.places);
        after = part.next;
        if (after === null) break;
      }
      expect(read).toEqual(places);
      for (let offset = 0; offset <= places.length; offset += 1) {
        expect((await found(store.audit, filter, { limit, offset })).places).toEqual(places.slice(offset, offset + limit));
      }
    }
  });

  it('is read to its end beyond a sequence that was damaged', async () => {
    const one = await recorded();
    tamper(one, `UPDATE log_entries SET seq = 1000000000000000 WHERE ${SECOND}`);
    const store = await one.open();
    const { places } = await found(store.audit, { executionId: 'exec_1' }, { limit: 50 });
    expect(places.at(-1)).toBe('exec_1 1');
  });
});
