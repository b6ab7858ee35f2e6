import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { waitUntil } from '../support/cluster.ts';
import { ir } from '../support/ir.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { type PrivatePostgresServer, startPostgres } from '../support/postgres-server.ts';
import { type Server, startServer, temporaryFolder } from '../support/server.ts';

const folder = temporaryFolder();
const REVIEW = ir('review', { review: { type: 'human_approval', description: 'Release?' } }, [['review', 'end']]);
const EXTERNAL = ir('external', { work: { type: 'python_fn', module: 'm', function: 'f' } }, [['work', 'end']]);
const PAYMENT = ir('payment', { pay: { type: 'wait', condition: 'external_event', correlation_key: 'paid' } }, [['pay', 'end']]);

let postgres: PrivatePostgresServer;
let database: string;
let server: Server;

beforeAll(async () => {
  postgres = await startPostgres();
  database = await postgres.createDatabase();
  server = await startServer({ folder, command: 'serve', env: { DATABASE_URL: database } });
  for (const document of [REVIEW, EXTERNAL, PAYMENT]) await server.client.registerWorkflow(document);
});
afterAll(async () => {
  await server?.kill();
  await postgres?.stop();
});

interface Reply {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: JsonObject;
}

async function call(method: string, path: string, body?: object): Promise<Reply> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as JsonObject,
  };
}

async function started(workflow: string): Promise<string> {
  return (await server.client.start({ workflow_id: workflow })).execution_id;
}

/** Received text of an open stream, until it ends or breaks. */
async function follow(path: string): Promise<{ readonly text: () => string; readonly close: () => void }> {
  const controller = new AbortController();
  const headers = { authorization: `Bearer ${server.token}` };
  const response = await fetch(`${server.url}${path}`, { headers, signal: controller.signal });
  let text = '';
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
  };
  read().catch(() => {});
  return { text: () => text, close: () => controller.abort() };
}

/** Requests of each kind, by their use of the database. */
function requests(id: string, item: { readonly id: string; readonly lease_fence: number }) {
  const lease = { worker_id: 'w', lease_fence: item.lease_fence };
  return [
    ['GET', '/executions'],
    ['GET', `/executions/${id}`],
    ['GET', `/executions/${id}?wait_ms=1000`],
    ['GET', `/executions/${id}/events`],
    ['GET', `/executions/${id}/state`],
    ['GET', `/executions/${id}/approvals`],
    ['GET', `/executions/${id}/machine`],
    ['GET', '/events/stream'],
    ['GET', '/workflows'],
    ['GET', '/workers'],
    ['GET', '/audit'],
    ['GET', '/audit/verify'],
    ['GET', '/audit/export'],
    ['GET', '/tokens'],
    ['GET', '/tenants'],
    ['GET', '/cron'],
    ['GET', '/jobs'],
    ['GET', '/webhooks'],
    ['GET', '/agents'],
    ['GET', `/artifacts/${'0'.repeat(64)}`],
    ['POST', '/workflows', { ir: { ...REVIEW, workflow_id: 'another' } }],
    ['POST', '/executions', { workflow_id: 'review' }],
    ['POST', `/executions/${id}/approve`, { decision: 'approved' }],
    ['POST', `/executions/${id}/external-event`, { correlation_key: 'k', payload: 1 }],
    ['POST', `/executions/${id}/cancel`, {}],
    ['POST', `/executions/${id}/pause`, {}],
    ['POST', '/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] }],
    ['POST', `/work-items/${item.id}/heartbeat`, lease],
    ['POST', `/work-items/${item.id}/complete`, { ...lease, output: {} }],
    ['POST', '/tokens', { role: 'viewer' }],
    ['POST', '/executions/bulk', { action: 'cancel', filter: { workflow_id: 'payment' } }],
  ] as const;
}

describe('a database outage', () => {
  it('unreachable: every request gets 503 with Retry-After, nothing acknowledged is lost, and the server recovers by itself', async () => {
    const [waiting, reviewed] = [await started('payment'), await started('review')];
    await started('external');
    const claim = { worker_id: 'w', queue_types: ['python_tool'] };
    const { work_item: item } = (await call('POST', '/work-items/claim', claim)).body as never as {
      readonly work_item: { readonly id: string; readonly lease_fence: number; readonly execution_id: string };
    };
    const stream = await follow('/events/stream');
    expect(await call('GET', '/health')).toMatchObject({ status: 200, body: { status: 'ok' } });

    await postgres.shutDown();
    const asked = requests(reviewed, item);
    const answers = await Promise.all(
      asked.map(async ([method, path, body]) => {
        const { status, retryAfter, body: answer } = await call(method, path, body);
        return `${method} ${path}: ${status} ${answer.code}, retry after ${retryAfter}; ${answer.error}`;
      }),
    );
    const away = '503 store_unavailable, retry after 1; service unavailable: the store cannot answer now; try again';
    expect(answers).toEqual(asked.map(([method, path]) => `${method} ${path}: ${away}`));
    expect(await call('GET', '/health')).toMatchObject({ status: 200, body: { status: 'ok', database: 'unavailable' } });

    await postgres.startUp();
    await waitUntil(async () => (await call('GET', '/health')).body.database === undefined);
    expect(await call('POST', `/executions/${waiting}/external-event`, { correlation_key: 'paid', payload: 1 })).toMatchObject({
      status: 200,
    });
    expect(await call('POST', `/executions/${reviewed}/approve`, { decision: 'approved' })).toMatchObject({ status: 200 });
    const lease = { worker_id: 'w', lease_fence: item.lease_fence };
    expect(await call('POST', `/work-items/${item.id}/heartbeat`, lease)).toMatchObject({ status: 200 });
    expect(await call('POST', `/work-items/${item.id}/complete`, { ...lease, output: {} })).toMatchObject({ status: 200 });
    for (const id of [waiting, reviewed, item.execution_id]) {
      expect((await call('GET', `/executions/${id}?wait_ms=10000`)).body).toMatchObject({ status: 'completed' });
    }
    const again = stream.text().includes(waiting) ? stream : await follow('/events/stream');
    const fresh = await started('review');
    await waitUntil(() => again.text().includes(fresh));
    for (const each of new Set([stream, again])) each.close();
    expect((await call('GET', '/audit/verify')).body).toMatchObject({ ok: true });
  });

  it('read-only: reads succeed and writes are refused until it accepts writes again', async () => {
    const id = await started('review');
    await asSuperuser("ALTER SYSTEM SET default_transaction_read_only = 'on'");
    await waitUntil(async () => (await call('POST', '/tokens', { role: 'viewer' })).status === 503);
    const refused = { status: 503, retryAfter: '1', body: { code: 'store_read_only' } };
    expect(await call('POST', '/executions', { workflow_id: 'review' })).toMatchObject(refused);
    expect(await call('POST', `/executions/${id}/approve`, { decision: 'approved' })).toMatchObject(refused);
    expect(await call('GET', `/executions/${id}`)).toMatchObject({ status: 200, body: { status: 'paused' } });
    await waitUntil(async () => (await call('GET', '/health')).body.database === 'read_only', 20_000);
    await asSuperuser('ALTER SYSTEM RESET default_transaction_read_only');
    await waitUntil(async () => (await call('POST', `/executions/${id}/approve`, { decision: 'approved' })).status === 200);
    expect((await call('GET', `/executions/${id}?wait_ms=10000`)).body).toMatchObject({ status: 'completed' });
    await waitUntil(async () => (await call('GET', '/health')).body.database === undefined);
  });

  it('full: writes are refused until there is space again', async () => {
    const id = await started('review');
    const inside = new URL(database);
    inside.username = 'postgres';
    await asSuperuser(
      `CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql
         AS $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
       CREATE TRIGGER no_room BEFORE INSERT ON log_entries EXECUTE FUNCTION no_room()`,
      inside.href,
    );
    const refused = { status: 503, retryAfter: '1', body: { code: 'store_full' } };
    expect(await call('POST', '/executions', { workflow_id: 'review' })).toMatchObject(refused);
    expect(await call('POST', `/executions/${id}/approve`, { decision: 'approved' })).toMatchObject(refused);
    expect(await call('GET', `/executions/${id}`)).toMatchObject({ status: 200, body: { status: 'paused' } });
    await asSuperuser('DROP FUNCTION no_room CASCADE', inside.href);
    expect(await call('POST', `/executions/${id}/approve`, { decision: 'approved' })).toMatchObject({ status: 200 });
    expect((await call('GET', `/executions/${id}?wait_ms=10000`)).body).toMatchObject({ status: 'completed' });
  });

  it('prevents a server from starting, with one line', async () => {
    await postgres.shutDown();
    const env = { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1', DATABASE_URL: database };
    for (const args of [
      ['serve', '--port', '0'],
      ['token', 'list'],
      ['audit', 'verify'],
      ['db', 'check'],
      ['db', 'status'],
    ]) {
      const command = promisify(execFile)(process.execPath, [resolve('bin/jamjet.js'), ...args], { cwd: folder, env });
      const ended: unknown = await command.catch((error: unknown) => error);
      expect(ended).toMatchObject({
        code: 1,
        // A server has a log, too.
        stdout: expect.stringMatching(args[0] === 'serve' ? /^\{"level":60,[^\n]*\}\n$/ : /^$/),
        stderr: expect.stringMatching(/^error: [^\n]*the database cannot be reached: [^\n]*ECONNREFUSED[^\n]*\n$/),
      });
    }
    await postgres.startUp();
  });

  it('does not prevent a server from stopping', async () => {
    await postgres.shutDown();
    expect(await server.terminate(), server.output().slice(-5_000)).toEqual({ code: 0, signal: null });
    await postgres.startUp();
  });
});

describe('a server whose clock differs from the database’s', () => {
  it('reports the difference in its log and in GET /health', async () => {
    const shift = 'const real = Date.now; Date.now = () => real() + 7_200_000;';
    const late = await startServer({
      folder,
      command: 'serve',
      env: {
        DATABASE_URL: await postgres.createDatabase(),
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shift)}`,
      },
    });
    const health = (await (await fetch(`${late.url}/health`)).json()) as { readonly clock_ahead_ms?: number };
    expect(health.clock_ahead_ms).toBeGreaterThan(7_000_000);
    expect(late.output()).toContain("s ahead of the database's");
    await late.kill();
  });
});

async function asSuperuser(statement: string, url = postgres.url): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('SET default_transaction_read_only = off');
  await client.query(statement);
  await client.query('SELECT pg_reload_conf()');
  await client.end();
}
