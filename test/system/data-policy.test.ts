import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ir } from '../support/ir.ts';
import { type Server, startServer, temporaryFolder } from '../support/server.ts';
import { eventually } from './recorded-calls.ts';

const tools = new URL('./tools.mjs', import.meta.url).pathname;
const EMAIL = 'ann.smith@example.com';
const NAME = 'Ann Wilhelmina Smith';
const EXECUTIONS = 60;

const intake = {
  ...ir('intake', { first: { type: 'tool', tool_ref: 'echo' }, second: { type: 'tool', tool_ref: 'echo' } }, [
    ['first', 'second'],
    ['second', 'end'],
  ]),
  data_policy: { pii_fields: ['$.patient.name'], pii_detectors: ['email'] },
};

async function start(folder: string): Promise<Server> {
  const server = await startServer({ folder, tools, env: { JAMJET_LOG_LEVEL: 'debug' } });
  onTestFinished(async () => void (await server.kill()));
  return server;
}

function pendingErasures(path: string): number {
  const db = new Database(path, { readonly: true });
  try {
    return (
      db
        .prepare<[], number>(
          'SELECT (SELECT count(*) FROM executions WHERE completed_at_ms IS NULL) + (SELECT count(*) FROM original_events)',
        )
        .pluck()
        .get() ?? 0
    );
  } finally {
    db.close();
  }
}

/** What is in the files of a database: its own, and its write-ahead log. */
function bytesOf(path: string): string {
  return ['', '-wal'].map((suffix) => (existsSync(path + suffix) ? readFileSync(path + suffix, 'latin1') : '')).join('\n');
}

describe('personal data', () => {
  it('is in no reply, stream or line of the log, and is erased after the server was killed at any time', async () => {
    const folder = temporaryFolder(onTestFinished);
    const path = join(folder, 'runtime.db');
    const before = await start(folder);
    await before.client.registerWorkflow(intake);
    const input = (n: number) => ({ n, patient: { name: NAME }, note: `write to ${EMAIL}`, filler: 'x'.repeat(9_000) });
    const replies: unknown[] = [];
    const starts = Array.from({ length: EXECUTIONS }, (_, n) =>
      before.client.start({ workflow_id: 'intake', input: input(n) }, { idempotencyKey: `k${n}` }),
    );
    const [first] = await Promise.all(starts);
    const id = first?.execution_id ?? '';
    const stream = await fetch(`${before.url}/executions/${id}/events`, {
      headers: { authorization: `Bearer ${before.token}`, accept: 'text/event-stream' },
    });
    replies.push(await stream.text());
    await before.kill();
    expect(bytesOf(path).includes(NAME) || pendingErasures(path) === 0).toBe(true);

    const after = await start(folder);
    await eventually(async () => pendingErasures(path) === 0, 'everything is erased');
    const get = async (route: string): Promise<string> =>
      (await fetch(`${after.url}${route}`, { headers: { authorization: `Bearer ${after.token}` } })).text();
    for (const route of [`/executions/${id}`, `/executions/${id}/events`, '/executions', '/audit?limit=200', '/audit/export'])
      replies.push(await get(route));
    const text = JSON.stringify(replies);
    expect(text).toContain('[REDACTED]');
    for (const secret of [EMAIL, NAME]) {
      expect(text.includes(secret)).toBe(false);
      expect(before.output().includes(secret) || after.output().includes(secret)).toBe(false);
    }
    await after.terminate();
    for (const secret of [EMAIL, NAME]) expect(bytesOf(path).includes(secret)).toBe(false);
  });
});
