import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { editLog } from '../../support/edit-log.ts';
import { REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';
import { type Ended, inFolder, jamjet } from '../terminal-session.ts';

const databaseIn = (folder: string): string => join(folder, '.jamjet', 'runtime.db');

/** A database with one execution that waits for an approval, without a server. */
async function withExecution(folder: string): Promise<string> {
  writeFileSync(join(folder, 'reviewed.json'), JSON.stringify(REVIEWED));
  writeFileSync(join(folder, 'tools.mjs'), 'export const double = ({ n }) => ({ n: n * 2 });\n');
  const run = await jamjet(['run', 'reviewed.json', '--embedded', '--tools', 'tools.mjs', '-i', '{"n": 1}'], { cwd: folder });
  return /exec_[0-9a-f]{32}/.exec(run.stdout)?.[0] ?? '';
}

describe('jamjet backup', () => {
  it('makes one file that only its owner can read, and says what it checked', () =>
    inFolder(async (folder) => {
      const id = await withExecution(folder);
      const { code, stdout } = await jamjet(['backup', 'backups/today.db'], { cwd: folder });
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(
          /^✓ backups\/today\.db: \d+ KiB, copied in \S+( \S+)?\n✓ all pages and indexes are sound\n✓ 1 live execution replayed\n✓ \d+ audit blocks, all valid\n$/,
        ),
      ]);
      expect(readdirSync(join(folder, 'backups'))).toEqual(['today.db']);
      expect(statSync(join(folder, 'backups', 'today.db')).mode & 0o777).toBe(0o600);
      // Bytes 18 and 19 of a database that can only be read where a write-ahead log can be made are 2.
      expect([...readFileSync(join(folder, 'backups', 'today.db')).subarray(18, 20)]).toEqual([1, 1]);
      const { stdout: log } = await jamjet(['db', 'log', id, '--db', 'backups/today.db'], { cwd: folder });
      expect(log).toContain('interrupt_raised');
    }));

  it('never overwrites a file, and needs a database', () =>
    inFolder(async (folder) => {
      await withExecution(folder);
      writeFileSync(join(folder, 'precious.db'), 'precious');
      const { code, stderr } = await jamjet(['backup', 'precious.db'], { cwd: folder });
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: .*precious\.db exists already/)]);
      expect(readFileSync(join(folder, 'precious.db'), 'utf8')).toBe('precious');
      const none = await jamjet(['backup', 'new.db', '--db', 'no.db'], { cwd: folder });
      expect([none.code, none.stderr]).toEqual([1, expect.stringMatching(/^error: there is no database at .*no\.db\n/)]);
      const postgres = await jamjet(['backup', 'new.db', '--db', 'postgres://jamjet:hunter2@127.0.0.1:1/j'], { cwd: folder });
      expect([postgres.code, postgres.stderr]).toEqual([1, expect.stringContaining('use pg_dump for PostgreSQL')]);
      expect(postgres.stderr).not.toContain('hunter2');
      expect(readdirSync(folder).filter((name) => name.startsWith('new.db'))).toEqual([]);
    }));

  it('reports logs that do not replay, and has them all the same', () =>
    inFolder(async (folder) => {
      const id = await withExecution(folder);
      editLog(databaseIn(folder), id, (event) => (event.type === 'interrupt_raised' ? null : event));
      const { code, stdout } = await jamjet(['backup', 'b.db', '--json'], { cwd: folder });
      const { check, size_bytes: bytes } = JSON.parse(stdout) as { check: { ok: boolean }; size_bytes: number };
      expect([code, check.ok, bytes]).toEqual([1, false, statSync(join(folder, 'b.db')).size]);
    }));

  it('refuses a damaged database, and leaves nothing behind', () =>
    inFolder(async (folder) => {
      await withExecution(folder);
      truncateSync(databaseIn(folder), 64 * 1024);
      const { code, stderr } = await jamjet(['backup', 'b.db'], { cwd: folder });
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: .*damaged/m)]);
      expect(readdirSync(folder).filter((name) => name.startsWith('b.db'))).toEqual([]);
    }));
});

describe('jamjet restore', () => {
  it('brings the state of the backup back, and keeps what it replaces', () =>
    inFolder(async (folder) => {
      const first = await withExecution(folder);
      await jamjet(['backup', 'b.db'], { cwd: folder });
      const second = await withExecution(folder);
      const { code, stdout, stderr } = await jamjet(['restore', 'b.db'], { cwd: folder });
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^✓ \.jamjet\/runtime\.db restored from b\.db\n✓ all pages/)]);
      const kept = /kept as (\S+)\.\n/.exec(stderr)?.[1] ?? '';
      expect(kept).toMatch(/^\.jamjet\/runtime\.db\.before-restore-[\dT-]+$/);
      const known = async (id: string, db: string) => (await jamjet(['db', 'log', id, '--db', db], { cwd: folder })).code;
      expect(await Promise.all([first, second].map((id) => known(id, '.jamjet/runtime.db')))).toEqual([0, 1]);
      expect(await Promise.all([first, second].map((id) => known(id, kept)))).toEqual([0, 0]);
      expect(existsSync(join(folder, 'b.db'))).toBe(true);
      const approved = await jamjet(['db', 'check', '--all'], { cwd: folder });
      expect(approved.code).toBe(0);
    }));

  it('restores to where no database is', () =>
    inFolder(async (folder) => {
      await withExecution(folder);
      await jamjet(['backup', 'b.db'], { cwd: folder });
      const { code, stdout } = await jamjet(['restore', 'b.db', '--db', 'else/where.db', '--json'], { cwd: folder });
      expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ kept_as: null, check: expect.any(Object) })]);
    }));

  it('replaces a database that is damaged', () =>
    inFolder(async (folder) => {
      await withExecution(folder);
      await jamjet(['backup', 'b.db'], { cwd: folder });
      writeFileSync(databaseIn(folder), 'no database any more');
      expect((await jamjet(['restore', 'b.db'], { cwd: folder })).code).toBe(0);
      expect((await jamjet(['db', 'check'], { cwd: folder })).code).toBe(0);
    }));

  it.each<readonly [what: string, error: RegExp, spoil: (path: string) => void]>([
    ['a damaged backup', /damaged/, (path) => truncateSync(path, 64 * 1024)],
    [
      'a file that is no database',
      /the backup .*b\.db cannot be restored: the file is not an SQLite database/,
      (path) => writeFileSync(path, 'text\n'.repeat(500)),
    ],
    [
      'a backup of a later release',
      /schema version 999/,
      (path) => {
        const db = new Database(path);
        db.exec("INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (999, 'later', 0)");
        db.close();
      },
    ],
  ])('refuses %s, and replaces nothing', (_what, error, spoil) =>
    inFolder(async (folder) => {
      const id = await withExecution(folder);
      await jamjet(['backup', 'b.db'], { cwd: folder });
      spoil(join(folder, 'b.db'));
      const { code, stderr } = await jamjet(['restore', 'b.db'], { cwd: folder });
      expect([code, stderr]).toEqual([1, expect.stringMatching(error)]);
      expect((await jamjet(['db', 'log', id], { cwd: folder })).code).toBe(0);
      expect(readdirSync(join(folder, '.jamjet')).filter((name) => /restor/.test(name))).toEqual([]);
    }),
  );
});

describe('beside a server', () => {
  const server = runtimeServer(TOOLS);

  it('a backup is made, and a restore is refused', async () => {
    const { folder, client, jamjet: start } = server();
    const beside = (line: string): Promise<Ended> => start(line).ended;
    await client.registerWorkflow(REVIEWED);
    const { execution_id: id } = await client.start({ workflow_id: 'reviewed', input: { n: 1 } });
    expect(await beside('backup b.db')).toMatchObject({ code: 0 });
    expect((await beside(`db log ${id} --db b.db`)).code).toBe(0);
    const refused = await beside('restore b.db');
    expect(readdirSync(join(folder, '.jamjet')).filter((name) => /restor/.test(name))).toEqual([]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`process ${process.pid}`)]);
    expect((await client.execution(id)).status).toBe('paused');
  });
});
