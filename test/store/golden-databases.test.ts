import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkpointsUpTo } from '../../src/runtime/log/checkpoints.ts';
import { checkExport } from '../../store/audit/check-export.ts';
import { FakeClock } from '../support/clock.ts';
import { type CaseReply, functionsOfCases, ROUNDS, recordCases, recordingTools } from '../support/golden-cases.ts';
import { type Call as CallFor, goldenEngines, HMAC_KEY, isMissing, recordings, serveStore } from '../support/golden-databases.ts';
import { postgresServer } from '../support/postgres.ts';

const RECORDED_MS = Date.UTC(2026, 10, 27, 15);
/** By database: a little after it was written, and before the first timer is due. */
const OPENED_MS = { 'schema-1': RECORDED_MS + 20 * 60_000 };
type Name = keyof typeof OPENED_MS;
const NEW_YEAR_MS = Date.UTC(2027, 0, 1);
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Executions that had ended, by the value of their label `case`. */
const ENDED: Readonly<Record<string, string>> = {
  'bulk-cancelled': 'cancelled',
  cancelled: 'cancelled',
  completed: 'completed',
  failed: 'failed',
  'fork-origin': 'completed',
  retried: 'completed',
  segments: 'limit_exceeded',
  wide: 'cancelled',
};
/** Executions that were live. */
const LIVE: Readonly<Record<string, string>> = {
  approval: 'paused',
  'by-agent': 'paused',
  deadline: 'paused',
  delegated: 'running',
  event: 'paused',
  'event-early': 'paused',
  'in-process': 'running',
  journey: 'paused',
  keyed: 'paused',
  later: 'pending',
  leased: 'running',
  light: 'paused',
  loop: 'paused',
  map: 'running',
  offloaded: 'paused',
  parallel: 'paused',
  parent: 'paused',
  'policy-held': 'running',
  'retry-later': 'running',
  rounds: 'paused',
  crossing: 'running',
  'crossing-choices': 'paused',
  suspended: 'paused',
  'suspended-parallel': 'paused',
  timer: 'paused',
  unclaimed: 'running',
};

const ENGINES = goldenEngines(postgresServer());
const RECORDINGS = recordings(postgresServer());

interface ExecutionItem {
  readonly execution_id: string;
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sequence: number;
}

/** The fields of the replies that are looked at here. */
interface Body {
  readonly executions: readonly ExecutionItem[];
  readonly pending: readonly { readonly node_id: string }[];
  readonly approvals: readonly { readonly execution_id: string; readonly node_id: string }[];
  readonly work_items?: readonly { readonly id: string; readonly node_id: string; readonly lease_fence: number }[];
  readonly messages: readonly object[];
  readonly execution_id: string;
  readonly status: string;
  readonly held?: boolean;
  readonly state: Readonly<Record<string, unknown>>;
  readonly matches: boolean;
  readonly workflows: readonly { readonly workflow_id: string; readonly revision: string; readonly registered_by: string }[];
  readonly revisions: readonly { readonly revision: string; readonly current: boolean }[];
  readonly items: readonly { readonly event_type: string; readonly actor_id: string }[];
  readonly cron_jobs: readonly { readonly name: string; readonly enabled: boolean; readonly last_execution_id: string | null }[];
  readonly jobs: readonly { readonly status: string }[];
  readonly agents: readonly { readonly status: string }[];
  readonly webhooks: readonly { readonly id: string; readonly description: string }[];
  readonly deliveries: readonly { readonly status: string }[];
  readonly tenants: readonly { readonly id: string; readonly status: string }[];
}

type Call = CallFor<Body>;

/** A server on the database, with a clock that the test moves. */
async function open(engine: keyof typeof ENGINES, name: Name) {
  const clock = new FakeClock(OPENED_MS[name]);
  const store = await ENGINES[engine](name, { nowMs: () => clock.nowMs() });
  const { errors, operatorOf } = await serveStore<Body>(store, clock, {
    ...functionsOfCases(),
    hang: () => ({ recovered: true }),
  });
  return { clock, store, errors, call: await operatorOf('default'), callAcme: await operatorOf('acme') };
}

/** By label `case`, which forks and later segments have, too: those by id. */
async function executions(call: Call): Promise<ReadonlyMap<string, ExecutionItem>> {
  const { executions: items } = await call('GET', '/executions?limit=200');
  const found = new Map<string, ExecutionItem>();
  for (const item of items.toReversed()) {
    const { case: name = item.execution_id } = item.labels;
    found.set(found.has(name) ? item.execution_id : name, item);
  }
  return found;
}

async function live(call: Call): Promise<readonly string[]> {
  const items = [...(await executions(call)).values()];
  return items.filter(({ status }) => ['pending', 'running', 'paused'].includes(status)).map(({ execution_id }) => execution_id);
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

const exportAt = (clock: FakeClock) => ({ fromBlock: 1, atMs: clock.nowMs(), signal: new AbortController().signal });

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const chunk of chunks) yield chunk.replace(/\n$/, '');
}

if (process.env.RECORD_GOLDEN === '1') {
  describe.each(['sqlite', 'postgres'] as const)('recording a %s database', (engine) => {
    it.runIf(isMissing('schema-1', engine))('with every kind of execution', async () => {
      const clock = new FakeClock(RECORDED_MS - 3 * DAY_MS);
      const { store, save } = await RECORDINGS[engine](() => clock.nowMs());
      const served = await serveStore<CaseReply>(store, clock, recordingTools());
      await recordCases(served, clock, await receiver());
      await save('schema-1');
      const chains = engine === 'sqlite' ? 'one-chain' : 'many-chains';
      const lines = linesOf(store.audit.export('acme', exportAt(clock)));
      let text = '';
      for await (const line of lines) text += `${line}\n`;
      writeFileSync(`test/golden/exports/schema-1-${chains}.jsonl`, text);
    });
  });
}

const DATABASES = (Object.keys(OPENED_MS) as readonly Name[]).flatMap((name) =>
  (['sqlite', 'postgres'] as const).map((engine) => ({ name, engine })),
);

describe.each(DATABASES)('the golden $engine database $name', ({ name: database, engine }) => {
  it('opens with every execution, and those that were live go on to their ends', async () => {
    const { clock, store, errors, call, callAcme } = await open(engine, database);
    const before = await executions(call);
    const idOf = (name: string): string => before.get(name)?.execution_id ?? '';
    for (const [name, status] of Object.entries(ENDED)) expect([name, before.get(name)?.status]).toEqual([name, status]);
    for (const name of Object.keys(LIVE)) expect(before.has(name), name).toBe(true);
    expect(await store.verifyAudit()).toMatchObject({ fault: null, unsigned: null });
    for (const { execution_id: id } of before.values())
      expect(await call('GET', `/executions/${id}/replay`)).toMatchObject({ matches: true });

    for (const { workflow_id: id, revision, registered_by } of (await call('GET', '/workflows?limit=200')).workflows) {
      const [latest] = (await call('GET', `/workflows/${id}/revisions`)).revisions;
      expect(latest).toMatchObject({ revision, registered_by, current: true });
    }

    // What waits for a decision is listed for all executions.
    const { approvals } = await call('GET', '/approvals?limit=500');
    const waiting = [...new Set(approvals.map(({ execution_id }) => execution_id))];
    for (const name of ['approval', 'event-early', 'policy-held']) expect(waiting, name).toContain(idOf(name));
    for (const id of waiting) {
      const { pending } = await call('GET', `/executions/${id}/approvals`);
      const listed = approvals.filter(({ execution_id }) => execution_id === id).map(({ node_id }) => node_id);
      expect(listed.sort()).toEqual(pending.map(({ node_id }) => node_id));
    }

    const again = { workflow_id: 'approval', input: {}, labels: { case: 'approval' } };
    const repeated = await call('POST', '/executions', again, { 'idempotency-key': 'start-approval' });
    expect(repeated.execution_id).toBe(idOf('approval'));
    const keyed = { workflow_id: 'approval', input: {}, key: 'order-1' };
    await expect(call('POST', '/executions', keyed)).rejects.toThrow(`409`);
    const { messages } = await call('GET', '/threads/ada/messages');
    expect(messages).toMatchObject([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Good morning' },
    ]);

    const url = await receiver();
    const { webhooks } = await call('GET', '/webhooks');
    for (const { id } of webhooks) await call('PUT', `/webhooks/${id}`, { url });
    const events = {
      event: 'payment',
      'event-early': 'payment',
      crossing: 'k',
      journey: 'payment',
      light: 'BREAK',
    };
    for (const [name, correlation_key] of Object.entries(events))
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
    const stateOf = async (name: string) => (await call('GET', `/executions/${idOf(name)}`)).state;
    expect(await stateOf('journey')).toMatchObject({ receipt: { booked: 'B-1', paid: { sum: 8 } } });
    expect(await stateOf('light')).toMatchObject({ output: { switched: 1 } });
    expect(await stateOf('map')).toMatchObject({ each: [{ done: 'a' }, { done: 'each' }, { done: 'each' }] });
    const chain = [...after.values()].filter(({ labels }) => labels.case === 'segments');
    expect(chain.map(({ status }) => status)).toEqual(['limit_exceeded', 'completed']);
    const next = await call('POST', '/executions', keyed);
    await call('POST', `/executions/${next.execution_id}/cancel`);
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
      const report = await checkExport(linesOf(store.audit.export(tenantId, exportAt(clock))), { key: HMAC_KEY, head: null });
      expect(report).toMatchObject({ fault: null, signed: true, removed: tenantId === 'acme' ? 1 : 0 });
    }
    expect(errors).toEqual([]);
  });
});

describe.each(['sqlite', 'postgres'] as const)('a long log in the golden %s database schema-1', (engine) => {
  it('has several checkpoints, and gives the state at any of its events', async () => {
    const { store, call, errors } = await open(engine, 'schema-1');
    const { execution_id: id, sequence } = (await executions(call)).get('rounds') as ExecutionItem;
    const checkpoints = [];
    for await (const { seq } of checkpointsUpTo(store, id)) checkpoints.push(seq);
    expect(checkpoints.length).toBeGreaterThan(2);
    // The first event starts the execution, the last two ask for the approval. The tool that counts is the first in each round.
    const eventsPerRound = (sequence - 3) / ROUNDS;
    for (const round of [1, 20, ROUNDS]) {
      const { state } = await call('GET', `/executions/${id}/state?at=${round * eventsPerRound}`);
      expect(state).toMatchObject({ done: { round } });
    }
    expect(errors).toEqual([]);
  });

  it('names the agent that acted, and for whom', async () => {
    const { store, call } = await open(engine, 'schema-1');
    const { items } = await call('GET', '/audit?actor_id=jane');
    expect(items.map(({ event_type, actor_id }) => `${event_type} by ${actor_id}`)).toEqual([
      'node_scheduled by agent:planner',
      'node_completed by agent:planner',
      'approval_received by agent:planner',
    ]);
    expect(await store.verifyAudit()).toMatchObject({ fault: null, unsigned: null });
  });
});
