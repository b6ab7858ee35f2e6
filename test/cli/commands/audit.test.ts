import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { DOUBLING, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';
import { inFolder, jamjet } from '../terminal-session.ts';

const server = runtimeServer(TOOLS);

const audit = (...args: string[]) => server().jamjet(['audit', ...args]).ended;

describe('jamjet audit list', () => {
  it('lists records with their actors', async () => {
    const { code, stdout } = await audit('list');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^TIME +TYPE +ACTOR +EXECUTION\n/);
    expect(stdout).toMatch(/\n\S+Z +runtime_started +runtime-\S+ +runtime_id=runtime-/);
    expect(stdout).toMatch(/\n\S+Z +token_created +os:\S+ +token_id=\S+ tenant_id=default name=ann role=operator/);
  });

  it('filters, and prints the reply of the API', async () => {
    const { stdout } = await audit('list', '--type', 'TokenCreated', '--since', '1h', '--limit', '1', '--json');
    const list = JSON.parse(stdout);
    expect(list).toMatchObject({ total: 1, limit: 1, next_cursor: null, items: [{ event_type: 'token_created' }] });
    expect(await audit('list', '--actor', 'unknown')).toMatchObject({ code: 0, stdout: '', stderr: 'no records\n' });
    expect((await audit('list', '--until', '2026-01-01')).stdout).toBe('');
  });

  it('prints the total, and continues at a cursor', async () => {
    const { stdout } = await audit('list', '--limit', '1');
    expect(stdout).toMatch(/\n1–1 of \d+\n$/);
    const { next_cursor, items } = JSON.parse((await audit('list', '--limit', '1', '--json')).stdout);
    const next = JSON.parse((await audit('list', '--limit', '1', '--cursor', next_cursor, '--json')).stdout);
    expect(next.items[0].id).not.toBe(items[0].id);
  });

  it('prints new records with --watch', async () => {
    const session = server().jamjet(['audit', 'list', '--watch', '--type', 'token_created']);
    await session.shows('role=operator');
    await server().client.createToken({ role: 'viewer', name: 'newcomer' });
    await session.shows('newcomer');
    session.signals.emit('SIGINT');
    expect((await session.ended).code).toBe(130);
  });

  it.each([
    [['--limit', '201'], /--limit "201" is not a whole number from 1 to 200/],
    [['--since', 'yesterday'], /--since "yesterday" is not a time\n/],
  ])('rejects %j', async (args, error) => {
    const { code, stderr } = await audit('list', ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(error);
  });
});

describe('jamjet audit verify', () => {
  it('accepts a valid database while a server uses it', async () => {
    const { code, stdout, stderr } = await jamjet(['audit', 'verify'], { cwd: server().folder });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^✓ \d+ blocks, all valid\n {2}head {2}\S{43}\n$/)]);
    expect(stderr).toMatch(/JAMJET_AUDIT_SIGNING_KEY/);
    const { stdout: json } = await jamjet(['audit', 'verify', '--json'], { cwd: server().folder });
    expect(JSON.parse(json)).toEqual({
      ok: true,
      blocks: expect.any(Number),
      head: expect.any(String),
      fault: null,
      unsigned: null,
    });
  });

  it('names the first invalid block and exits with 1', () =>
    inFolder(async (folder) => {
      for (const name of ['a', 'b']) await jamjet(['token', 'create', '--role', 'viewer', '--name', name], { cwd: folder });
      const db = new Database(join(folder, '.jamjet', 'runtime.db'));
      db.prepare("UPDATE control_events SET actor_id = 'mallory' WHERE seq = 2").run();
      db.close();
      const { code, stdout } = await jamjet(['audit', 'verify'], { cwd: folder });
      expect(code).toBe(1);
      expect(stdout).toMatch(/^✗ block 2: events were changed, removed or reordered\n/);
      expect(stdout).toMatch(/tenant +default\n {2}stream +control plane\n {2}valid +1 block\n/);
      const { stdout: json } = await jamjet(['audit', 'verify', '--json'], { cwd: folder });
      expect(JSON.parse(json)).toMatchObject({
        ok: false,
        blocks: 1,
        fault: { block: 2, reason: 'stream_digest', tenant_id: 'default', execution_id: null },
      });
    }));

  it('does not create a database', () =>
    inFolder(async (folder) => {
      const { code, stderr } = await jamjet(['audit', 'verify'], { cwd: folder });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: there is no database at .*runtime\.db\nName it with --db or DATABASE_URL\.\n$/);
    }));

  it('lists blocks written without the key, and verifies the rest', () =>
    inFolder(async (folder) => {
      const signed = { cwd: folder, env: { JAMJET_AUDIT_SIGNING_KEY: 'k'.repeat(32) } };
      await jamjet(['token', 'create', '--role', 'operator'], { cwd: folder });
      await jamjet(['token', 'create', '--role', 'viewer'], { cwd: folder });
      for (let i = 0; i < 3; i += 1) await jamjet(['token', 'create', '--role', 'viewer'], signed);
      const { code, stdout } = await jamjet(['audit', 'verify'], signed);
      expect([code, stdout]).toEqual([
        1,
        expect.stringMatching(/^✓ 5 blocks, all valid\n {2}head {2}\S+\n✗ not signed: blocks 1 to 2\n$/),
      ]);
      const { stdout: json } = await jamjet(['audit', 'verify', '--json'], signed);
      expect(JSON.parse(json)).toMatchObject({
        ok: false,
        blocks: 5,
        fault: null,
        unsigned: { blocks: 2, ranges: [{ from: 1, to: 2 }] },
      });
      expect((await jamjet(['audit', 'verify'], { cwd: folder })).code).toBe(0);
    }));

  it('verifies signatures with the key', () =>
    inFolder(async (folder) => {
      const signed = { cwd: folder, env: { JAMJET_AUDIT_SIGNING_KEY: 'k'.repeat(32) } };
      await jamjet(['token', 'create', '--role', 'viewer'], signed);
      expect(await jamjet(['audit', 'verify'], signed)).toMatchObject({ code: 0, stderr: '' });
      const other = await jamjet(['audit', 'verify'], { cwd: folder, env: { JAMJET_AUDIT_SIGNING_KEY: 'x'.repeat(32) } });
      expect(other).toMatchObject({ code: 1, stdout: expect.stringContaining('block 1: it is not signed by this key') });
    }));
});

describe('jamjet audit export', () => {
  it('writes a file that can be verified without the server', async () => {
    const { folder } = server();
    const { code, stdout, stderr } = await audit('export', '-o', 'audit.jsonl');
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain('jamjet audit verify --file audit.jsonl');
    const sound = await jamjet(['audit', 'verify', '--file', 'audit.jsonl'], { cwd: folder });
    expect([sound.code, sound.stdout]).toEqual([
      0,
      expect.stringMatching(/^✓ blocks 1 to \d+, all valid\n {2}tenant +default\n {2}events +\d+\n {2}head +\S+\n$/),
    ]);
    const { head } = JSON.parse((await jamjet(['audit', 'verify', '--file', 'audit.jsonl', '--json'], { cwd: folder })).stdout);
    expect(await jamjet(['audit', 'verify', '--file', 'audit.jsonl', '--head', head], { cwd: folder })).toMatchObject({
      code: 0,
    });
    const wrong = await jamjet(['audit', 'verify', '--file', 'audit.jsonl', '--head', 'x'], { cwd: folder });
    expect(wrong).toMatchObject({ code: 1, stdout: expect.stringContaining('the chain does not end with the given --head') });

    const path = join(folder, 'audit.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace('runtime_started', 'runtime_stopped'));
    const bad = await jamjet(['audit', 'verify', '--file', 'audit.jsonl'], { cwd: folder });
    expect(bad).toMatchObject({ code: 1, stdout: expect.stringMatching(/^✗ block \d+ \(line \d+\): events were changed/) });
  });

  it('writes to standard output, from a given block', async () => {
    const { stdout } = await audit('export', '--from-block', '2');
    const [header, block] = stdout.split('\n').map((line) => (line === '' ? null : JSON.parse(line)));
    expect(header).toMatchObject({ jamjet_audit: 1, tenant_id: 'default', from_block: 2 });
    expect(block).toMatchObject({ block: 2 });
  });

  it('leaves no partial file behind', async () => {
    const { code, stderr } = await audit('export', '--from-block', '9999', '-o', 'none.jsonl');
    expect(code).toBe(1);
    expect(stderr).toMatch(/there is no block 9998/);
    expect(() => readFileSync(join(server().folder, 'none.jsonl'))).toThrow(/ENOENT/);
    expect(() => readFileSync(join(server().folder, 'none.jsonl.partial'))).toThrow(/ENOENT/);
    const nowhere = await audit('export', '-o', 'no/such/folder.jsonl');
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('no such file') });
    const unknown = await jamjet(['audit', 'verify', '--file', 'nothing.jsonl'], { cwd: server().folder });
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('no such file') });
  });
});

describe('jamjet audit events', () => {
  it('prints what was exported, as the server lists it', async () => {
    const { folder, client } = server();
    writeFileSync(join(folder, 'doubling.json'), JSON.stringify(DOUBLING));
    expect((await server().jamjet(['run', 'doubling.json', '--input', '{"n": 21}']).ended).code).toBe(0);
    await audit('export', '-o', 'events.jsonl');
    const { code, stdout } = await jamjet(['audit', 'events', 'events.jsonl'], { cwd: folder });
    expect(code).toBe(0);
    const printed = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { items, total } = await client.audit.list({ limit: 200 });
    expect(printed).toHaveLength(total);
    const place = (event: { execution_id: string | null; sequence: number; event_type: string; actor_id: string }) =>
      `${event.execution_id} ${event.sequence} ${event.event_type} ${event.actor_id}`;
    expect(printed.map(place).sort()).toEqual(items.map(place).sort());
    const completed = printed.find((event) => event.event_type === 'node_completed');
    expect(completed).toMatchObject({ node_id: expect.any(String), data: { activation: 1 }, actor_type: 'system' });
  });

  it('stops where the file was changed', async () => {
    const { folder } = server();
    await audit('export', '-o', 'changed.jsonl');
    const path = join(folder, 'changed.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace('runtime_started', 'runtime_stopped'));
    const { code, stdout, stderr } = await jamjet(['audit', 'events', 'changed.jsonl'], { cwd: folder });
    expect(code).toBe(1);
    expect(stdout).not.toContain('runtime_stopped');
    expect(stderr).toMatch(/changed\.jsonl: line \d+: events were changed, removed or reordered/);
    expect(await jamjet(['audit', 'events', 'nothing.jsonl'], { cwd: folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nothing.jsonl: no such file'),
    });
  });
});
