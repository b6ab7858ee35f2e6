import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildApp } from '../../src/api/app.ts';
import { readConfig } from '../../src/config.ts';
import { ControlPlane } from '../../src/control/control-plane.ts';
import { Outbound } from '../../src/executors/outbound/index.ts';
import { createRuntime } from '../../src/runtime/index.ts';
import { mintToken } from '../../src/tokens.ts';
import { checkExport } from '../../store/audit/check-export.ts';
import type { Store } from '../../store/port/store.ts';
import { openPostgres } from '../../store/postgres/open.ts';
import { openSqlite } from '../../store/sqlite/open.ts';
import { FakeClock } from '../support/clock.ts';
import { postgresServer } from '../support/postgres.ts';
import { temporaryFolder } from '../support/stores.ts';

/** A little after the databases were written, and before the first timer is due. */
const OPENED_MS = Date.UTC(2026, 10, 27, 5, 30);
const NEW_YEAR_MS = Date.UTC(2027, 0, 1);
const MINUTE_MS = 60_000;
const HMAC_KEY = 'golden';

/** Executions that had ended, by the value of their label `case`. */
const ENDED: Readonly<Record<string, string>> = {
  'bulk-cancelled': 'cancelled',
  cancelled: 'cancelled',
  completed: 'completed',
  failed: 'failed',
  'fork-origin': 'completed',
  retried: 'completed',
};
/** Executions that were live. */
const LIVE: Readonly<Record<string, string>> = {
  approval: 'paused',
  deadline: 'paused',
  event: 'paused',
  'event-early': 'paused',
  'in-process': 'running',
  leased: 'running',
  loop: 'paused',
  offloaded: 'paused',
  parallel: 'paused',
  parent: 'paused',
  'policy-held': 'running',
  'retry-later': 'running',
  section: 'running',
  'section-choices': 'paused',
  suspended: 'paused',
  'suspended-parallel': 'paused',
  timer: 'paused',
  unclaimed: 'running',
};

const server = postgresServer();
const stored = (name: string): Buffer => gunzipSync(readFileSync(new URL(`../golden/databases/${name}.gz`, import.meta.url)));

const ENGINES = {
  async sqlite(nowMs: () => number): Promise<Store> {
    const path = join(temporaryFolder(), 'runtime.db');
    writeFileSync(path, stored('schema-13.db'));
    return openSqlite({ path, nowMs, hmacKey: HMAC_KEY });
  },
  async postgres(nowMs: () => number): Promise<Store> {
    const url = await server().createDatabase();
    onTestFinished(() => server().dropDatabase(url));
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(stored('schema-13.sql').toString('utf8'));
    await client.end();
    return openPostgres({ url, nowMs, hmacKey: HMAC_KEY });
  },
};

interface ExecutionItem {
  readonly execution_id: string;
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The fields of the replies that are looked at here. */
interface Body {
  readonly executions: readonly ExecutionItem[];
  readonly pending: readonly { readonly node_id: string }[];
  readonly work_items?: readonly { readonly id: string; readonly node_id: string; readonly lease_fence: number }[];
  readonly execution_id: string;
  readonly status: string;
  readonly held?: boolean;
  readonly state: Readonly<Record<string, unknown>>;
  readonly matches: boolean;
  readonly cron_jobs: readonly { readonly name: string; readonly enabled: boolean; readonly last_execution_id: string | null }[];
  readonly jobs: readonly { readonly status: string }[];
  readonly agents: readonly { readonly status: string }[];
  readonly webhooks: readonly { readonly id: string; readonly description: string }[];
  readonly deliveries: readonly { readonly status: string }[];
  readonly tenants: readonly { readonly id: string; readonly status: string }[];
}

type Call = (
  method: 'GET' | 'POST' | 'PUT',
  url: string,
  body?: object,
  headers?: Readonly<Record<string, string>>,
) => Promise<Body>;

/** A server on the database, with a clock that the test moves. */
async function open(engine: keyof typeof ENGINES) {
  const clock = new FakeClock(OPENED_MS);
  const nowMs = (): number => clock.nowMs();
  const store = await ENGINES[engine](nowMs);
  const errors: unknown[] = [];
  const failed = (error: unknown): number => errors.push(error);
  const config = readConfig({ JAMJET_ALLOW_PRIVATE_ADDRESSES: '1' });
  const runtime = await createRuntime({ store, clock, onError: failed, tools: { hang: () => ({ recovered: true }) } });
  const outbound = new Outbound({ allowPrivateAddresses: true });
  const control = new ControlPlane({ store, runtime, outbound, clock, onError: failed });
  await control.start();
  const app = buildApp({ runtime, store, control, config, auth: 'on', nowMs });
  onTestFinished(async () => {
    await Promise.all([runtime.close(0), control.close(), app.close()]);
    await store.close();
  });
  const caller = async (tenantId: string): Promise<Call> => {
    const { plaintext, row } = mintToken({ tenantId, role: 'operator', name: 'tester', nowMs: nowMs(), expiresAtMs: null });
    const context = { tenantId, atMs: nowMs(), actorId: 'tester', actorType: 'human', request: null } as const;
    await store.control({ type: 'token_created', token: row }, context);
    return async (method, url, body, headers = {}) => {
      const authorization = `Bearer ${plaintext}`;
      const payload = body === undefined ? {} : { payload: body };
      const reply = await app.inject({ method, url, headers: { ...headers, authorization }, ...payload });
      if (reply.statusCode >= 400) throw new Error(`${method} ${url}: ${reply.statusCode} ${reply.payload}`);
      return JSON.parse(reply.payload) as Body;
    };
  };
  return { clock, store, errors, call: await caller('default'), callAcme: await caller('acme') };
}

/** By label `case`. */
async function executions(call: Call): Promise<ReadonlyMap<string, ExecutionItem>> {
  const { executions: items } = await call('GET', '/executions?limit=200');
  return new Map(items.map((item) => [item.labels.case ?? item.execution_id, item]));
}

async function live(call: Call): Promise<readonly string[]> {
  const items = [...(await executions(call)).values()];
  return items.filter(({ status }) => status === 'running' || status === 'paused').map(({ execution_id }) => execution_id);
}

/** Resumes, approves and completes everything that live executions wait for at the moment. */
async function serve(call: Call): Promise<void> {
  for (const id of await live(call)) {
    if ((await call('GET', `/executions/${id}`)).held === true) await call('POST', `/executions/${id}/resume`);
    const { pending } = await call('GET', `/executions/${id}/approvals`);
    for (const { node_id } of pending) await call('POST', `/executions/${id}/approve`, { node_id, decision: 'approved' });
  }
  const claim = { worker_id: 'worker-2', queue_types: ['tool'], max_items: 50 };
  const { work_items = [] } = await call('POST', '/work-items/claim', claim);
  for (const { id, node_id, lease_fence } of work_items) {
    const result = { output: { done: node_id }, state_patch: { round: 3 }, lease_fence };
    await call('POST', `/work-items/${id}/complete`, result);
  }
}

/** An address that answers every request with 200. */
async function receiver(): Promise<string> {
  const listening = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void listening.close());
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`;
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const chunk of chunks) yield chunk.replace(/\n$/, '');
}

describe.each(['sqlite', 'postgres'] as const)('a %s database that the last release wrote', (engine) => {
  it('opens with every execution, and those that were live go on to their ends', async () => {
    const { clock, store, errors, call, callAcme } = await open(engine);
    const before = await executions(call);
    const idOf = (name: string): string => before.get(name)?.execution_id ?? '';
    for (const [name, status] of Object.entries(ENDED)) expect([name, before.get(name)?.status]).toEqual([name, status]);
    for (const name of Object.keys(LIVE)) expect(before.has(name), name).toBe(true);
    expect(await store.verifyAudit()).toMatchObject({ fault: null, unsigned: null });
    for (const { execution_id: id } of before.values())
      expect(await call('GET', `/executions/${id}/replay`)).toMatchObject({ matches: true });

    const again = { workflow_id: 'approval', input: {}, labels: { case: 'approval' } };
    const repeated = await call('POST', '/executions', again, { 'idempotency-key': 'start-approval' });
    expect(repeated.execution_id).toBe(idOf('approval'));

    const url = await receiver();
    const { webhooks } = await call('GET', '/webhooks');
    for (const { id } of webhooks) await call('PUT', `/webhooks/${id}`, { url });
    for (const [name, correlation_key] of Object.entries({ event: 'payment', 'event-early': 'payment', section: 'k' }))
      await call('POST', `/executions/${idOf(name)}/external-event`, { correlation_key, payload: { sum: 8 } });
    for (let rounds = 0; (await live(call)).length > 0; rounds += 1) {
      expect(rounds, `${await live(call)} are live`).toBeLessThan(100);
      await serve(call);
      clock.advance(2 * MINUTE_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const after = await executions(call);
    for (const name of Object.keys(LIVE)) expect([name, after.get(name)?.status]).toEqual([name, 'completed']);
    for (const { execution_id: id } of after.values())
      expect(await call('GET', `/executions/${id}/replay`)).toMatchObject({ matches: true });
    expect((await call('GET', `/executions/${idOf('event-early')}`)).state).toMatchObject({ sum: 7 });
    expect((await call('GET', `/executions/${idOf('offloaded')}`)).state).toMatchObject({ big: 'y'.repeat(9_000) });
    expect((await callAcme('GET', '/executions')).executions).toMatchObject([
      { status: 'paused', labels: { case: 'acme-approval' } },
    ]);

    for (const { id } of webhooks) {
      const pending = async () => (await call('GET', `/webhooks/${id}/deliveries?status=pending`)).deliveries.length;
      await expect
        .poll(async () => {
          clock.advance(10 * MINUTE_MS);
          return pending();
        })
        .toBe(0);
    }
    expect((await call('GET', '/tenants')).tenants).toMatchObject([
      { id: 'acme', status: 'active' },
      { id: 'default', status: 'active' },
      { id: 'gone', status: 'suspended' },
    ]);
    expect((await call('GET', '/jobs')).jobs).toMatchObject([{ status: 'completed' }]);
    expect((await call('GET', '/agents')).agents).toMatchObject([{ status: 'active' }]);

    clock.advance(NEW_YEAR_MS - clock.nowMs());
    const started = async () => (await live(call)).length;
    await expect.poll(started).toBe(1);
    expect((await call('GET', '/cron')).cron_jobs).toMatchObject([
      { name: 'paused', enabled: false, last_execution_id: null },
      { name: 'yearly', enabled: true, last_execution_id: (await live(call))[0] },
    ]);

    expect(await store.verifyAudit()).toMatchObject({ fault: null, unsigned: null });
    for (const tenantId of ['default', 'acme']) {
      const request = { fromBlock: 1, atMs: clock.nowMs(), signal: new AbortController().signal };
      const report = await checkExport(linesOf(store.audit.export(tenantId, request)), { key: HMAC_KEY, head: null });
      expect(report).toMatchObject({ fault: null, signed: true, removed: tenantId === 'acme' ? 1 : 0 });
    }
    expect(errors).toEqual([]);
  });
});
