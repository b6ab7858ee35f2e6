import Database from 'better-sqlite3';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { api } from './support/api.ts';

function capturing(level: string) {
  const lines: string[] = [];
  return { lines, log: pino({ level }, { write: (line: string) => void lines.push(line) }) };
}

describe('the log', () => {
  it('contains refused requests with the caller and the request id', async () => {
    const { lines, log } = capturing('info');
    const { get } = await api({ log });
    const { headers } = await get('/nowhere?secret=1');
    await get('/executions/none');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { method: 'GET', path: '/nowhere', status: 404, request: headers['x-request-id'] },
      { method: 'GET', path: '/executions/none', status: 404, tenant: 'default', actor: 'developer', ms: expect.any(Number) },
    ]);
  });

  it('contains other requests at level debug only', async () => {
    const { lines, log } = capturing('debug');
    await (await api({ log })).get('/health');
    expect(lines.filter((line) => line.includes('/health'))).toHaveLength(1);
    const quiet = capturing('info');
    await (await api({ log: quiet.log })).get('/health');
    expect(quiet.lines).toEqual([]);
  });

  it('contains no tokens and no queries', async () => {
    const { lines, log } = capturing('trace');
    const { get, post, token } = await api({ log });
    const plaintext = await token('viewer');
    await get('/executions?limit=secret', { as: null, headers: { authorization: `Bearer ${plaintext}` } });
    await get('/executions', { as: null, headers: { authorization: 'Bearer jj_guessed' } });
    const { body } = await post('/tokens', { role: 'viewer' }, { as: 'operator' });
    expect(lines.length).toBeGreaterThan(2);
    for (const secret of [plaintext, body.token, 'jj_', 'limit=']) expect(lines.join('')).not.toContain(secret);
  });

  it('contains the internal error that the client does not get', async () => {
    const { lines, log } = capturing('error');
    const { get, path } = await api({ log });
    const database = new Database(path);
    database.exec('DROP TABLE workflows');
    database.close();
    const { status, headers, body } = await get('/workflows');
    expect([status, body.error]).toEqual([
      500,
      `internal error: unexpected failure, logged under request ${headers['x-request-id']}`,
    ]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { msg: 'request failed', request: headers['x-request-id'], err: { stack: expect.stringContaining('no such table') } },
    ]);
  });
});
