import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { type CheckOptions, checkExport, type ExportReport } from '../../../store/audit/check-export.ts';
import type { AuditFault } from '../../../store/port/resources/audit.ts';
import { type PostgresDatabase, postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { exported, lines } from '../contract/audit-log.ts';
import { AT_MS, batch, context, event, startExecution, step, token } from '../writes.ts';

const KEY = 'a signing key';

const server = postgresServer();

/** Two chains: `rt_1` starts two executions and creates a token, `rt_2` steps the first in between, and ends another. */
async function recorded(hmacKey?: string): Promise<PostgresDatabase> {
  const database = postgresDatabase(server);
  const signed = hmacKey === undefined ? {} : { hmacKey };
  const first = await database.open({ writer: 'rt_1', ...signed });
  const second = await database.open({ writer: 'rt_2', ...signed });
  const approval = event(2, { type: 'approval_received', actorId: 'bob', request: '{"ip":"::1"}' });
  await first.commit(
    batch(startExecution('exec_1', { events: [event(1), approval] }), startExecution('exec_2', { tenantId: 'acme' })),
  );
  const head = { status: 'completed', completedAtMs: AT_MS };
  await second.commit(batch(step('exec_1', 2), startExecution('exec_3', { progress: head })));
  await first.control({ type: 'token_created', token: token('t1') }, context());
  return database;
}

async function tamper(database: PostgresDatabase, sql: string): Promise<void> {
  await asked(await database.url(), sql);
}

async function asked(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

async function faultAfter(sql: string, hmacKey?: string): Promise<AuditFault | null> {
  const database = await recorded(hmacKey);
  await tamper(database, sql);
  const store = await database.open(hmacKey === undefined ? {} : { hmacKey });
  return (await store.verifyAudit()).fault;
}

const SECOND_ENTRY = "log_id = (SELECT log_id FROM executions WHERE id = 'exec_1') AND seq = 2";
const inFirst = { chain: 'rt_1', block: 1, reason: 'stream_digest', tenantId: 'default', executionId: 'exec_1' };

describe('the chains of several writers', () => {
  it('are valid, and have one combined head for every reader', async () => {
    const database = await recorded();
    const reports = await Promise.all(['rt_1', 'rt_9'].map(async (writer) => (await database.open({ writer })).verifyAudit()));
    expect(reports[0]).toMatchObject({ blocks: 3, fault: null });
    expect(reports[1]).toEqual(reports[0]);
  });

  it('are verified, counted and exported in short statements, however large the log is', async () => {
    const database = await recorded();
    const store = await database.open({ writer: 'rt_3' });
    for (let seq = 2; seq < 200; seq += 2) await store.commit(batch(step('exec_2', seq, { tenantId: 'acme' })));
    // Reading all of it at once would take three seconds at least, and a page of it a third of one. Few long naps: each ends late on a busy machine.
    await tamper(
      database,
      `INSERT INTO log_entries (position, log_id, seq, events, tenant_id, at_ms, actor, types, body)
         SELECT 1000000 + n, x.log_id, 100 + n, 1, 'default', 0, 1, 'J', '' FROM executions x, generate_series(1, 20000) n WHERE x.id = 'exec_3';
       CREATE POLICY slow ON log_entries AS RESTRICTIVE USING (seq % 200 > 0 OR pg_sleep(0.03)::text <> 'never')`,
    );
    const url = `${await database.url()}?options=${encodeURIComponent('-c statement_timeout=2000')}`;
    const hurried = await database.open({ url, statementTimeoutMs: 2_000 });
    expect(await hurried.verifyAudit()).toMatchObject({ blocks: 102, fault: { reason: 'unsealed_rows' } });
    expect((await exported(hurried, 'acme')).length).toBeGreaterThan(200);
    await expect(asked(url, 'SELECT count(*) FROM log_entries')).rejects.toThrow(/statement timeout/);
  });

  const changes = {
    body: "body || ' '",
    types: "'C'",
    events: '2',
    seq: '3',
    at_ms: 'at_ms + 1',
    actor: `(SELECT number FROM log_actors WHERE id = 'alice' AND tenant_id = 'default')`,
    request: 'NULL',
    tenant_id: "'acme'",
    log_id: '-1',
  };
  it.each(Object.entries(changes))('detect a changed %s of an entry', async (column, value) => {
    expect(await faultAfter(`UPDATE log_entries SET ${column} = ${value} WHERE ${SECOND_ENTRY}`)).toEqual(inFirst);
  });

  it.each(['id', 'type', 'on_behalf_of'])('detect a changed %s of an actor', async (column) => {
    expect(await faultAfter(`UPDATE log_actors SET ${column} = 'mallory' WHERE id = 'bob'`)).toEqual(inFirst);
  });

  it.each(['workflow_id', 'workflow_version', 'labels', 'parent_id'])(
    'find an execution whose %s was changed',
    async (column) => {
      expect(await faultAfter(`UPDATE executions SET ${column} = 'x' WHERE id = 'exec_1'`)).toEqual(inFirst);
    },
  );

  it('find an execution whose revision was changed', async () => {
    expect(await faultAfter("UPDATE executions SET revision = 0 WHERE id = 'exec_1'")).toEqual(inFirst);
    expect(await faultAfter("UPDATE log_revisions SET hash = 'x'")).toEqual(inFirst);
  });

  it('detect rows that were deleted, inserted, or changed on the control plane', async () => {
    expect(await faultAfter(`DELETE FROM log_entries WHERE ${SECOND_ENTRY}`)).toEqual(inFirst);
    expect(await faultAfter("DELETE FROM log_actors WHERE id = 'bob'")).toEqual(inFirst);
    const forged = `INSERT INTO log_entries (position, log_id, seq, events, tenant_id, at_ms, actor, types, body)
      SELECT 1000000, log_id, 5, 1, tenant_id, at_ms, actor, types, body FROM log_entries WHERE ${SECOND_ENTRY}`;
    expect(await faultAfter(forged)).toMatchObject({ reason: 'unsealed_rows' });
    const renamed = "UPDATE control_events SET data = replace(data, 'developer', 'operator')";
    expect(await faultAfter(renamed)).toMatchObject({ chain: 'rt_1', block: 2, reason: 'stream_digest', executionId: null });
  });

  it('detect a block that was removed, rewritten or moved to another chain', async () => {
    const block = (change: string) => `${change} WHERE writer = 'rt_1' AND block = 2`;
    expect(await faultAfter(block('DELETE FROM audit_blocks'))).toMatchObject({
      chain: 'rt_1',
      block: 2,
      reason: 'missing_block',
    });
    expect(await faultAfter("DELETE FROM audit_blocks WHERE writer = 'rt_1' AND block = 1")).toMatchObject({
      chain: 'rt_1',
      block: 1,
      reason: 'missing_block',
    });
    const bad = { chain: 'rt_1', block: 2, reason: 'block_hash' };
    expect(await faultAfter(block('UPDATE audit_blocks SET at_ms = 7'))).toMatchObject(bad);
    expect(await faultAfter(block("UPDATE audit_blocks SET streams = '\\x00'"))).toMatchObject(bad);
    expect(await faultAfter(block("UPDATE audit_blocks SET writer = 'rt_2'"))).toMatchObject({ reason: 'missing_block' });
    expect(await faultAfter("DELETE FROM audit_chains WHERE writer = 'rt_2'")).toMatchObject({
      chain: 'rt_2',
      block: 1,
      reason: 'block_hash',
    });
  });

  it('show by their head that one was removed with everything it sealed', async () => {
    const database = await recorded();
    const store = await database.open();
    const { head } = await store.verifyAudit();
    await tamper(
      database,
      `DELETE FROM audit_chains WHERE writer = 'rt_2'; DELETE FROM audit_blocks WHERE writer = 'rt_2';
        DELETE FROM log_entries e USING executions x
          WHERE x.log_id = e.log_id AND (x.id = 'exec_3' OR (x.id = 'exec_1' AND e.seq > 2))`,
    );
    expect((await store.verifyAudit()).head).not.toBe(head);
  });

  it('accept a removal only from its control event', async () => {
    const database = await recorded();
    const store = await database.open({ writer: 'rt_1' });
    await store.retention.remove({ after: null, endedBeforeMs: AT_MS + 1 }, context());
    expect((await store.verifyAudit()).fault).toBeNull();
    const claim = `INSERT INTO removed_executions VALUES ('exec_2', 'acme', 2, 1);
      DELETE FROM log_entries e USING executions x WHERE x.log_id = e.log_id AND x.id = 'exec_2'`;
    await tamper(database, claim);
    expect((await store.verifyAudit()).fault).toMatchObject({ reason: 'stream_digest', executionId: 'exec_2' });
    await tamper(database, 'DELETE FROM removed_executions');
    expect((await store.verifyAudit()).fault).toMatchObject({ reason: 'stream_digest' });
  });

  it('sign each block', async () => {
    const database = await recorded(KEY);
    expect((await (await database.open({ hmacKey: KEY })).verifyAudit()).fault).toBeNull();
    expect((await (await database.open({ hmacKey: 'other' })).verifyAudit()).fault).toMatchObject({
      block: 1,
      reason: 'signature',
    });
    expect((await (await database.open()).verifyAudit()).fault).toBeNull();
    await tamper(database, 'UPDATE audit_blocks SET signature = NULL WHERE block = 1');
    const { fault, unsigned } = await (await database.open({ hmacKey: KEY })).verifyAudit();
    expect([fault, unsigned?.ranges.every(({ chain, from, to }) => chain !== undefined && from === 1 && to === 1)]).toEqual([
      null,
      true,
    ]);
    expect(unsigned?.blocks).toBe(unsigned?.ranges.length);
  });

  it('stop being verified when aborted', async () => {
    const store = await (await recorded()).open();
    await expect(store.verifyAudit(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});

function check(all: readonly string[], options: Partial<CheckOptions> = {}): Promise<ExportReport> {
  return checkExport(lines(all), { key: null, head: null, ...options });
}

/** With a removal at its end. */
async function log(hmacKey?: string): Promise<readonly string[]> {
  const store = await (await recorded(hmacKey)).open({ writer: 'rt_2', ...(hmacKey === undefined ? {} : { hmacKey }) });
  await store.retention.remove({ after: null, endedBeforeMs: AT_MS + 1 }, context());
  return exported(store, 'default');
}

describe('an export of several chains', () => {
  it('is valid, and ends with the head of the store', async () => {
    const database = await recorded();
    const store = await database.open();
    const { head } = await store.verifyAudit();
    const report = await check(await exported(store, 'default'), { head });
    expect(report).toMatchObject({ fromBlock: 1, toBlock: 3, events: 7, removed: 0, head, fault: null });
    expect(await check(await log(KEY), { key: KEY })).toMatchObject({ toBlock: 4, removed: 1, signed: true, fault: null });
  });

  it('continues where the last one ended, with the blocks of all writers since', async () => {
    const database = await recorded();
    const first = await database.open({ writer: 'rt_1' });
    const second = await database.open({ writer: 'rt_2' });
    const { toBlock } = await check(await exported(first, 'default'));
    await second.commit(batch(step('exec_1', 4)));
    await first.commit(batch(step('exec_1', 6)));
    const later = await exported(first, 'default', toBlock + 1);
    const { head } = await first.verifyAudit();
    expect(await check(later, { head })).toMatchObject({ fromBlock: toBlock + 1, events: 4, fault: null });
    expect(await check(later, { head: 'another' })).toMatchObject({ fault: { reason: 'head' } });
  });

  it('reveals a change of any character', async () => {
    const all = await log();
    for (const [index, line] of all.entries()) {
      for (let at = 0; at < line.length; at += 7) {
        const other = line.charAt(at) === 'x' ? 'y' : 'x';
        const { fault } = await check(all.with(index, `${line.slice(0, at)}${other}${line.slice(at + 1)}`));
        expect([index, at, fault === null]).toEqual([index, at, false]);
      }
    }
  });

  it('reveals a line that was removed, duplicated, added or moved', async () => {
    const all = await log();
    for (const index of all.keys()) {
      expect((await check(all.toSpliced(index, 1))).fault).not.toBeNull();
      expect((await check(all.toSpliced(index, 0, all[index] ?? ''))).fault).not.toBeNull();
      expect((await check(all.toSpliced(index, 0, '{}'))).fault).not.toBeNull();
      if (index > 0)
        expect((await check(all.toSpliced(index - 1, 2, all[index] ?? '', all[index - 1] ?? ''))).fault).not.toBeNull();
    }
  });
});
