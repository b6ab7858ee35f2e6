import { EventEmitter, once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { JamjetClient } from '../../../src/client/index.ts';
import type { Tools } from '../../../src/runtime/types/work.ts';
import { createToken } from '../../../src/server/admin.ts';
import { startServer } from '../../../src/server/compose.ts';
import { readConfig } from '../../../src/server/config.ts';
import { postgresServer } from '../../support/postgres.ts';
import { DOUBLING, PAID, REVIEWED, TOOLS } from '../flows.ts';
import { inFolder, jamjet, TerminalSession } from '../terminal-session.ts';

const WAIT_MS = 30_000;
const AGENT = {
  id: 'researcher',
  name: 'Researcher',
  description: 'Finds things out',
  version: '1.0.0',
  uri: 'https://agents.example.com/researcher',
  capabilities: { skills: [], protocols: ['mcp'] },
};
const BIG = { text: 'é'.repeat(20_000) };

let hangs = 0;
let hangsNow = true;
const tools: Tools = {
  ...TOOLS,
  big: () => BIG,
  /** Runs as long as the first server does. */
  once: (_input: unknown, { signal }: { signal: AbortSignal }) => {
    hangs += 1;
    if (!hangsNow) return { done: hangs };
    return new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true }),
    );
  },
};

function flow(workflow_id: string, nodes: Record<string, JsonObject>): JsonObject {
  const names = [...Object.keys(nodes), 'end'];
  const kinds = Object.entries(nodes).map(([name, kind]) => [name, { kind }]);
  const edges = names.slice(1).map((to, at) => ({ from: names[at] ?? '', to }));
  return { workflow_id, version: '1', nodes: Object.fromEntries(kinds), edges };
}

const FLOWS = {
  timed: flow('timed', { pause: { type: 'wait', condition: 'timer', timeout_secs: 3_600 } }),
  worked: flow('worked', { work: { type: 'python_fn', module: 'm', function: 'f' } }),
  large: flow('large', {
    big: { type: 'tool', tool_ref: 'big', output_key: 'found' },
    review: { type: 'human_approval', description: 'Keep it?' },
  }),
  once: flow('once', { once: { type: 'tool', tool_ref: 'once' } }),
};

const server = postgresServer();

/** Replies 500 until `heals` is called, then collects deliveries. */
interface Hook {
  readonly url: string;
  /** Resolves on the first request. */
  readonly called: Promise<void>;
  heals(): void;
  /** Resolves when this many deliveries have been received. */
  hasTaken(deliveries: number): Promise<void>;
}

async function hookServer(): Promise<Hook> {
  let status = 500;
  const taken = new Set<string>();
  const calls = new EventEmitter();
  const called = once(calls, 'call').then(() => undefined);
  const http: HttpServer = createServer((request, response) => {
    if (status === 200) taken.add(String(request.headers['webhook-id']));
    request.resume().on('end', () => response.writeHead(status).end());
    calls.emit('call');
  });
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void http.close());
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    called,
    heals: () => {
      status = 200;
    },
    async hasTaken(deliveries) {
      while (taken.size < deliveries) await once(calls, 'call');
    },
  };
}

interface Running {
  readonly client: JamjetClient;
  as(token: string): JamjetClient;
  close(): Promise<void>;
}

async function serverOn(database: string, token?: string): Promise<Running & { readonly token: string }> {
  const config = readConfig({
    JAMJET_PORT: '0',
    DATABASE_URL: database,
    JAMJET_LOG: 'off',
    JAMJET_ALLOW_PRIVATE_ADDRESSES: '1',
  });
  const operator =
    token ?? (await createToken(config, { role: 'operator', tenantId: 'default', name: 'ann', expiresAtMs: null })).plaintext;
  const running = await startServer({ config, tools, auth: 'on' });
  onTestFinished(() => running.close(0));
  const as = (other: string): JamjetClient => new JamjetClient({ url: running.url, token: other });
  return { client: as(operator), as, token: operator, close: () => running.close(0) };
}

/** A database with one unfinished item of each kind. */
async function busyDatabase(path: string, hook: Hook) {
  const { client, as, token, close } = await serverOn(path);
  for (const document of [DOUBLING, REVIEWED, PAID, ...Object.values(FLOWS)]) await client.registerWorkflow(document);
  const start = async (workflow_id: string, labels: Record<string, string> = {}): Promise<string> =>
    (await client.start({ workflow_id, input: { n: 1 }, labels }, { idempotencyKey: workflow_id })).execution_id;
  const bookmark = firstPosition(client);
  const doubled = await start('doubling', { customer: 'acme' });
  await client.execution(doubled, { waitMs: WAIT_MS });
  await client.webhooks.create({ url: hook.url, events: ['workflow_completed'] });
  await client.execution((await client.start({ workflow_id: 'doubling', input: { n: 1 } })).execution_id, { waitMs: WAIT_MS });
  await hook.called;
  await client.cron.put({ name: 'nightly', cron_expression: '0 3 29 2 *', workflow_id: 'doubling', input: { n: 1 } });
  await client.agents.register(AGENT);
  await client.tenants.create({ id: 'acme', name: 'Acme', limits: { retention_days: 30 } });
  const { token: acmeToken } = await client.createToken({ role: 'developer', tenant_id: 'acme' });
  await as(acmeToken).registerWorkflow(DOUBLING);
  const ids = {
    reviewed: await start('reviewed'),
    paid: await start('paid'),
    large: await start('large'),
    worked: await start('worked'),
    timed: await start('timed'),
    once: await start('once'),
  };
  for (const id of [ids.reviewed, ids.paid, ids.large]) await client.execution(id, { waitMs: WAIT_MS });
  const { work_item: item } = await client.claimWork({ worker_id: 'w1', queue_types: ['python_tool'] });
  const result = { ...ids, doubled, token, acmeToken, item, bookmark: await bookmark };
  await close();
  return result;
}

/** Moves due times into the past, while no server is running. */
async function anHourPasses(url: string): Promise<void> {
  const database = new Client({ connectionString: url });
  await database.connect();
  await database.query('UPDATE timers SET at_ms = at_ms - 3600000');
  await database.end();
}

/** Position of the first event in the tenant's stream. */
async function firstPosition(client: JamjetClient): Promise<string> {
  for await (const { position } of client.live.tenant()) return position;
  throw new Error('the stream has ended');
}

describe('jamjet db copy into PostgreSQL', () => {
  it(
    'copies everything, and a server on the target continues',
    () =>
      inFolder(async (folder) => {
        const hook = await hookServer();
        const left = await busyDatabase(join(folder, 'runtime.db'), hook);
        const url = await server().createDatabase();
        const { code, stdout, stderr } = await jamjet(['db', 'copy', 'runtime.db', url, '--json'], { cwd: folder });
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(JSON.parse(stdout)).toMatchObject({
          from: join(folder, 'runtime.db'),
          to: url,
          tables: {
            executions: 8,
            timers: 1,
            work_items: 1,
            cron_jobs: 1,
            webhooks: 1,
            webhook_deliveries: 1,
            agents: 1,
            // An output, and the final state that contains it.
            artifacts: 2,
            tokens: 2,
            tenants: 2,
            audit_chains: 1,
          },
          check: { ok: true, executions: 6, differing: [], audit: { fault: null } },
        });

        hangsNow = false;
        hook.heals();
        await anHourPasses(url);
        const { client, as, close } = await serverOn(url, left.token);
        const ended = async (id: string) => {
          for await (const _event of client.follow(id));
          return client.execution(id);
        };
        // The lease is still valid, with its fence.
        const { item } = left;
        await client.completeWork(item?.id ?? '', { lease_fence: item?.lease_fence ?? 0, output: { done: true } });
        expect(await ended(left.worked)).toMatchObject({ status: 'completed' });
        // Waits are still pending, and what became due meanwhile has happened.
        await client.approve(left.reviewed, { decision: 'approved' });
        expect(await ended(left.reviewed)).toMatchObject({ status: 'completed' });
        await client.sendEvent(left.paid, { key: 'payment-received', payload: {} });
        expect(await ended(left.paid)).toMatchObject({ status: 'completed' });
        await client.approve(left.large, { decision: 'approved' });
        expect(await ended(left.large)).toMatchObject({ status: 'completed', current_state: { found: BIG } });
        expect(await ended(left.timed)).toMatchObject({ status: 'completed' });
        // Local activities start again as the same attempt, because the server was stopped gracefully.
        expect(await ended(left.once)).toMatchObject({ status: 'completed' });
        expect((await client.events(left.once)).filter((event) => JSON.stringify(event).includes('node_failed'))).toEqual([]);
        // A repeated idempotency key still returns the first result.
        const again = await client.start(
          { workflow_id: 'doubling', input: { n: 1 }, labels: { customer: 'acme' } },
          { idempotencyKey: 'doubling' },
        );
        expect(again.execution_id).toBe(left.doubled);
        // A failed delivery is repeated, and executions that ended since are delivered.
        await hook.hasTaken(7);
        // Another tenant with its token and limits, and the rest of the control plane.
        expect((await as(left.acmeToken).workflows()).workflows).toHaveLength(1);
        expect(await client.tenants.get('acme')).toMatchObject({ limits: { retention_days: 30 } });
        expect((await client.cron.list()).cron_jobs).toMatchObject([
          { name: 'nightly', next_run_at: expect.stringMatching(/T03:00:00/) },
        ]);
        expect((await client.agents.list()).agents).toHaveLength(1);
        expect((await client.executions({ label: ['customer:acme'] })).executions.map((one) => one.execution_id)).toEqual([
          left.doubled,
        ]);
        // A position in the old log is valid in the new one.
        for await (const { event } of client.live.tenant({ after: left.bookmark })) {
          expect(event).toMatchObject({ execution_id: left.doubled, sequence: 2 });
          break;
        }
        await close();

        expect(await jamjet(['db', 'check', '--all', '--db', url], { cwd: folder })).toMatchObject({ code: 0 });
        expect(await jamjet(['audit', 'verify', '--db', url], { cwd: folder })).toMatchObject({ code: 0 });
        const second = await jamjet(['db', 'copy', 'runtime.db', url], { cwd: folder });
        expect(second).toMatchObject({ code: 1, stderr: expect.stringMatching(/the target is not empty/) });
      }),
    180_000,
  );
});

describe('the commands that open a database', () => {
  it('accept a PostgreSQL database', () =>
    inFolder(async (folder) => {
      const url = await server().createDatabase();
      const secret = url.replace('jamjet@', 'jamjet:hunter2@');
      const db = async (...args: readonly string[]) => {
        const { code, stdout } = await jamjet([...args, '--db', secret, '--json'], { cwd: folder });
        expect(code).toBe(0);
        expect(stdout).not.toContain('hunter2');
        return JSON.parse(stdout);
      };
      expect(await db('db', 'status')).toMatchObject({ engine: 'postgres', database: url, schema_version: 0, runtimes: [] });
      const { to_version } = await db('db', 'migrate');
      expect(await db('token', 'create', '--role', 'viewer')).toMatchObject({ role: 'viewer' });
      expect((await db('token', 'list')).tokens).toHaveLength(1);

      const dev = new TerminalSession(['dev', '--port', '0', '--db', secret, '--json'], { cwd: folder });
      await dev.shows('"url"');
      expect(JSON.parse(dev.screen)).toMatchObject({ database: url, token_file: join(folder, '.jamjet', 'token') });
      const { runtimes, ...status } = await db('db', 'status');
      expect(status).toMatchObject({ schema_version: to_version, newest_schema_version: to_version });
      expect(runtimes).toMatchObject([{ pid: null }]);
      dev.signals.emit('SIGINT');
      expect(await dev.ended).toMatchObject({ code: 0 });

      expect((await db('db', 'status')).runtimes).toEqual([]);
      expect(await db('db', 'check', '--all')).toMatchObject({ ok: true });
      expect(await db('audit', 'verify')).toMatchObject({ ok: true });
    }));

  it('report an unusable PostgreSQL database', () =>
    inFolder(async (folder) => {
      const { port } = server();
      const failure = async (url: string) => (await jamjet(['token', 'list', '--db', url], { cwd: folder })).stderr;
      expect(await failure(`postgres://jamjet:hunter2@127.0.0.1:${port}/none`)).toBe(
        `error: cannot open postgres://jamjet@127.0.0.1:${port}/none: the database refuses: database "none" does not exist\n`,
      );
      expect(await failure(`postgres://unknown:hunter2@127.0.0.1:${port}/postgres`)).toMatch(
        /the database refuses: role "unknown" does not exist/,
      );
    }));
});
