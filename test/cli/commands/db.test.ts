import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { editLog } from '../../support/edit-log.ts';
import { DOUBLING, REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';
import { inFolder, jamjet } from '../terminal-session.ts';

/** A database with one execution that waits for an approval, without a server. */
async function withExecution(folder: string): Promise<string> {
  writeFileSync(join(folder, 'reviewed.json'), JSON.stringify(REVIEWED));
  writeFileSync(join(folder, 'tools.mjs'), 'export const double = ({ n }) => ({ n: n * 2 });\n');
  const run = await jamjet(['run', 'reviewed.json', '--embedded', '--tools', 'tools.mjs', '-i', '{"n": 1}'], { cwd: folder });
  return /exec_[0-9a-f]{32}/.exec(run.stdout)?.[0] ?? '';
}

const databaseIn = (folder: string): string => join(folder, '.jamjet', 'runtime.db');

function sql(folder: string, statement: string): void {
  const db = new Database(databaseIn(folder));
  db.exec(statement);
  db.close();
}

async function json(args: readonly string[], folder: string): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await jamjet([...args, '--json'], { cwd: folder });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('jamjet db status', () => {
  it('shows the content of a database without a server', () =>
    inFolder(async (folder) => {
      await withExecution(folder);
      const { code, stdout } = await jamjet(['db', 'status'], { cwd: folder });
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /^database +\.jamjet\/runtime\.db\nengine +SQLite\nschema +\d+ \(the newest\)\nsize +\d+ KiB\nexecutions +1: 1 paused\nevents +\d+\nworkflows +1 version\ntimers +0\nwork +0 open items\nruntimes +none\n$/,
      );
    }));

  it('creates no database, and rejects files that are not one', () =>
    inFolder(async (folder) => {
      const missing = await jamjet(['db', 'status', '--db', 'no.db'], { cwd: folder });
      expect(missing).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^error: there is no database at .*no\.db\n/),
      });
      writeFileSync(join(folder, 'text.db'), 'no database at all, but long enough to be looked at\n'.repeat(40));
      expect((await jamjet(['db', 'status', '--db', 'text.db'], { cwd: folder })).stderr).toMatch(
        /^error: .*not an SQLite database/,
      );
      expect(readdirSync(folder)).toEqual(['text.db']);
    }));

  it('never shows a password', () =>
    inFolder(async (folder) => {
      const url = 'postgres://jamjet:hunter2@127.0.0.1:1/jamjet';
      for (const verb of ['status', 'migrate', 'check']) {
        const { code, stdout, stderr } = await jamjet(['db', verb, '--db', url], { cwd: folder });
        expect(code).toBe(1);
        expect(stderr).toMatch(/^error: cannot open postgres:\/\/jamjet@127\.0\.0\.1:1\/jamjet: /);
        expect(stdout + stderr).not.toContain('hunter2');
      }
    }));
});

describe('jamjet db migrate', () => {
  it('creates a database, and is then up to date', () =>
    inFolder(async (folder) => {
      expect((await jamjet(['db', 'migrate'], { cwd: folder })).stdout).toMatch(/^✓ schema version 0 → \d+\n$/);
      const { to_version } = await json(['db', 'migrate'], folder);
      expect(await json(['db', 'status'], folder)).toMatchObject({
        schema_version: to_version,
        newest_schema_version: to_version,
      });
      expect((await jamjet(['db', 'migrate'], { cwd: folder })).stdout).toMatch(/^✓ schema version \d+: up to date\n$/);
    }));

  it('rejects a database that a newer release has migrated', () =>
    inFolder(async (folder) => {
      await jamjet(['db', 'migrate'], { cwd: folder });
      sql(folder, "INSERT INTO schema_migrations VALUES (999, 'later', 0)");
      expect(await jamjet(['db', 'migrate'], { cwd: folder })).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/schema version 999/),
      });
      expect((await jamjet(['db', 'status'], { cwd: folder })).stdout).toMatch(/schema +999 \(newer than this release\)/);
      sql(folder, "UPDATE schema_migrations SET name = 'init' WHERE version = 1");
      for (const command of ['migrate', 'status', 'check'])
        expect(await jamjet(['db', command], { cwd: folder })).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/^error: .*a version before 0\.2\.0 wrote the database, which no release reads/),
        });
    }));
});

describe('jamjet db check', () => {
  it('accepts a consistent database', () =>
    inFolder(async (folder) => {
      await withExecution(folder);
      const { code, stdout } = await jamjet(['db', 'check'], { cwd: folder });
      expect(stdout).toMatch(/^✓ 1 live execution replayed\n✓ \d+ audit blocks, all valid\n$/);
      expect(code).toBe(0);
      expect(await json(['db', 'check', '--all'], folder)).toMatchObject({
        ok: true,
        executions: 1,
        differing: [],
        audit: { fault: null },
      });
    }));

  it('lists differences', () =>
    inFolder(async (folder) => {
      const id = await withExecution(folder);
      sql(folder, "UPDATE executions SET status = 'running'");
      editLog(databaseIn(folder), id, (event) => (event.seq === 2 ? { ...event, actorId: 'mallory' } : event));
      const { code, stdout } = await jamjet(['db', 'check'], { cwd: folder });
      expect(code).toBe(1);
      expect(stdout).toContain(
        `✗ 1 live execution replayed, 1 of them differ from the stored state\n  ${id} (default): status is "running"; the replayed log gives "paused"\n`,
      );
      expect(stdout).toMatch(new RegExp(`✗ audit block \\d+: events were changed, removed or reordered \\(${id}\\)\n$`));
      expect(await jamjet(['db', 'check', '--json'], { cwd: folder })).toMatchObject({ code: 1 });
    }));

  it('names an execution whose log cannot be replayed, and checks the others', () =>
    inFolder(async (folder) => {
      const id = await withExecution(folder);
      const other = await withExecution(folder);
      const snapshot = { set: { ['/a'.repeat(20_001)]: 1 }, removed: [] };
      const data = JSON.stringify({ operation: 1, event: 'go', value: 'a', snapshot });
      editLog(databaseIn(folder), id, (event) => (event.seq === 2 ? { ...event, type: 'machine_transitioned', data } : event));
      const { code, stdout } = await jamjet(['db', 'check'], { cwd: folder });
      expect(code).toBe(1);
      expect(stdout).toContain(`✗ 2 live executions replayed, 1 of them differ from the stored state\n  ${id} (default): `);
      expect(stdout).not.toContain(`${other} (default)`);
    }));

  it('requires the schema of this release', () =>
    inFolder(async (folder) => {
      await jamjet(['db', 'migrate'], { cwd: folder });
      sql(folder, 'DELETE FROM schema_migrations');
      expect(await jamjet(['db', 'check'], { cwd: folder })).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^error: the database has schema version 0; .*\nRun `jamjet db migrate` first\.\n$/),
      });
    }));
});

describe('jamjet db copy', () => {
  it('makes a compact copy whose executions continue', () =>
    inFolder(async (folder) => {
      const id = await withExecution(folder);
      const { code, stdout, stderr } = await jamjet(['db', 'copy', '.jamjet/runtime.db', 'other/copy.db'], { cwd: folder });
      expect(stderr).toMatch(/DATABASE_URL=other\/copy\.db/);
      expect(stdout).toMatch(/\nexecutions +1\n/);
      expect(stdout).toMatch(
        /✓ \d+ rows copied and counted in .*\n✓ 1 live execution replayed\n✓ \d+ audit blocks, all valid\n$/,
      );
      expect(code).toBe(0);
      expect(readdirSync(join(folder, 'other')).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(['copy.db']);
      const env = { DATABASE_URL: 'other/copy.db' };
      const shown = await jamjet(['inspect', id, '--json'], { cwd: folder, env: { ...env, JAMJET_PORT: '1' } });
      expect(JSON.parse(shown.stdout)).toMatchObject({ execution_id: id, status: 'paused' });
    }));

  it('rejects an existing target, a missing source, and other engines', () =>
    inFolder(async (folder) => {
      await withExecution(folder);
      const failure = async (from: string, to: string) => {
        const { code, stderr } = await jamjet(['db', 'copy', from, to], { cwd: folder });
        expect(code).toBeGreaterThan(0);
        return stderr;
      };
      expect(await failure('.jamjet/runtime.db', '.jamjet/runtime.db')).toMatch(/exists already/);
      expect(await failure('none.db', 'new.db')).toMatch(/there is no database at/);
      expect(await failure('postgres://127.0.0.1:1/a', 'new.db')).toMatch(/pg_dump/);
      expect(await failure('.jamjet/runtime.db', 'mysql://x')).toMatch(/^error: TO: unknown database scheme/);
      expect(existsSync(join(folder, 'new.db'))).toBe(false);
    }));
});

describe('while a server runs on the database', () => {
  const server = runtimeServer(TOOLS);

  it('allows status and check, and rejects copy', async () => {
    const { client, folder } = server();
    await client.registerWorkflow(DOUBLING);
    await client.start({ workflow_id: 'doubling', input: { n: 2 } });
    const status = await json(['db', 'status'], folder);
    expect(status).toMatchObject({ engine: 'sqlite', workflow_versions: 1, runtimes: [{ pid: process.pid }] });
    expect((await jamjet(['db', 'status'], { cwd: folder })).stdout).toMatch(/runtimes +runtime-\S+ \(process \d+, started /);
    expect(await json(['db', 'check', '--all'], folder)).toMatchObject({ ok: true, executions: 1 });
    const copy = await jamjet(['db', 'copy', '.jamjet/runtime.db', 'copy.db'], { cwd: folder });
    expect(copy).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: .* is in use by runtime /) });
    expect(existsSync(join(folder, 'copy.db'))).toBe(false);
  });
});

describe('jamjet db log', () => {
  it('prints the stored log without a server', () =>
    inFolder(async (folder) => {
      const id = await withExecution(folder);
      const { code, stdout, stderr } = await jamjet(['db', 'log', id], { cwd: folder });
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout.split('\n')[0]).toMatch(
        /^ {3}1 {2}\d\d:\d\d:\d\d\S* {2}workflow_started +workflow_id=\S+ workflow_version=\S+ initial_input=\{"n":1\}/,
      );
      expect(stdout).toMatch(/\n +\d+ .* interrupt_raised /);
    }));

  it('prints it as JSON, with actors and requests', () =>
    inFolder(async (folder) => {
      const id = await withExecution(folder);
      const { events, ...log } = await json(['db', 'log', id], folder);
      expect(log).toEqual({ database: databaseIn(folder), tenant_id: 'default', execution_id: id });
      expect((events as readonly object[])[0]).toMatchObject({
        sequence: 1,
        type: 'workflow_started',
        node_id: null,
        data: { initial_input: { n: 1 } },
        actor_type: 'human',
        request: { method: 'POST' },
      });
    }));

  it('fails for an execution that the database does not have, and for a damaged entry', () =>
    inFolder(async (folder) => {
      const id = await withExecution(folder);
      expect(await jamjet(['db', 'log', 'exec_0'], { cwd: folder })).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^error: there is no execution exec_0 in /),
      });
      sql(folder, "UPDATE log_entries SET body = 'x' WHERE position = (SELECT max(position) FROM log_entries)");
      expect(await jamjet(['db', 'log', id], { cwd: folder })).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('an entry of the log is damaged'),
      });
    }));
});
