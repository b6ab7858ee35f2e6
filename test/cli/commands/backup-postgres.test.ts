import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { JamjetClient } from '../../../src/client/index.ts';
import { createToken } from '../../../src/server/admin.ts';
import { type Server, startServer } from '../../../src/server/compose.ts';
import { readConfig } from '../../../src/server/config.ts';
import { postgresServer } from '../../support/postgres.ts';
import { requires } from '../../support/requirements.ts';
import { REVIEWED, TOOLS } from '../flows.ts';
import { jamjet } from '../terminal-session.ts';

const postgres = postgresServer();

function configOf(database: string) {
  return readConfig({ JAMJET_PORT: '0', DATABASE_URL: database, JAMJET_LOG: 'off' });
}

async function serverOn(database: string): Promise<Server> {
  const server = await startServer({ config: configOf(database), tools: TOOLS, auth: 'on' });
  onTestFinished(() => server.close(0));
  return server;
}

/** The lines of the documentation that begin with `program`, with these databases and this file in the place of its own. */
function documented(program: string, names: Readonly<Record<string, string>>): readonly string[] {
  const page = readFileSync('docs/run.md', 'utf8');
  const line = page.split('\n').find((each) => each.startsWith(`${program} `)) ?? '';
  return line
    .split(' ')
    .slice(1)
    .map((word) => Object.entries(names).reduce((text, [from, to]) => text.replace(from, to), word));
}

describe('pg_dump', requires('pg_dump'), () => {
  it('of a database with live executions, as documented, is one from which a server continues', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jamjet-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [source, target] = [await postgres().createMigrated(), await postgres().createDatabase()];
    const names = {
      'postgres://jamjet@db.internal/jamjet': source,
      'postgres://jamjet@db.internal/restored': target,
      'jamjet.dump': join(folder, 'jamjet.dump'),
    };
    const { plaintext: token } = await createToken(configOf(source), {
      role: 'operator',
      tenantId: 'default',
      name: 'ann',
      expiresAtMs: null,
    });
    const first = await serverOn(source);
    const client = new JamjetClient({ url: first.url, token });
    await client.registerWorkflow(REVIEWED);
    const start = async () => (await client.start({ workflow_id: 'reviewed', input: { n: 21 } })).execution_id;
    const waiting = await start();
    execFileSync('pg_dump', documented('pg_dump', names), { stdio: 'pipe' });
    const later = await start();
    await first.close(0);

    execFileSync('pg_restore', documented('pg_restore', names), { stdio: 'pipe' });
    const checked = await jamjet(['db', 'check', '--all', '--db', target]);
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('✓ 1 execution replayed')]);
    const second = await serverOn(target);
    const restored = new JamjetClient({ url: second.url, token });
    await expect(restored.execution(later)).rejects.toMatchObject({ status: 404 });
    await restored.approve(waiting, { decision: 'approved' });
    expect(await restored.execution(waiting, { waitMs: 30_000 })).toMatchObject({ status: 'completed', state: { n: 42 } });
  });
});
