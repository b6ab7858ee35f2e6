import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startServer as startHere } from '../support/in-process-server.ts';
import { ir, python, tool } from '../support/ir.ts';
import { type Server, startServer, temporaryFolder } from '../support/server.ts';
import { claim, eventually, refusal, run, settled, timeline } from './recorded-calls.ts';

const tools = new URL('./tools.mjs', import.meta.url).pathname;

async function start(folder: string, env: Readonly<Record<string, string>> = {}): Promise<Server> {
  const server = await startServer({ folder, tools, env });
  onTestFinished(async () => void (await server.kill()));
  return server;
}

/** Of a process whose timers of this length take another time. */
function withTimers(ofMs: number, takingMs: number): Readonly<Record<string, string>> {
  const timers = `const real = setTimeout; globalThis.setTimeout = (f, ms, ...more) => real(f, ms === ${ofMs} ? ${takingMs} : ms, ...more);`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(timers)}` };
}

/** Given to work in progress when a server stops. */
const GRACE_MS = 10_000;
const A_DAY_MS = 86_400_000;

const waits = ir('waits', { one: { type: 'wait', event: 'k' }, two: { type: 'wait', event: 'k' } }, [
  ['one', 'two'],
  ['two', 'end'],
]);
const work = ir('work', { job: python('job') }, [['job', 'end']]);

/** What a test does before the server is killed; returns what it expects of the next one on the same file. */
type BeforeRestart = (server: Server, folder: string) => Promise<(server: Next) => Promise<void>>;
/** It runs in the process of the tests: what matters is that the first one was killed. */
type Next = Awaited<ReturnType<typeof startHere>>;

const ACROSS_RESTART: Readonly<Record<string, BeforeRestart>> = {
  async 'an idempotency key still identifies the same execution'({ client: before }) {
    await before.registerWorkflow(waits);
    const request = { workflow_id: 'waits', input: { n: 1 }, labels: { test: 'key' } };
    const first = await before.start(request, { idempotencyKey: 'order-7' });
    expect(await before.start(request, { idempotencyKey: 'order-7' })).toEqual(first);
    return async ({ client }) => {
      expect(await client.start(request, { idempotencyKey: 'order-7' })).toEqual(first);
      expect(await refusal(client.start({ ...request, input: { n: 2 } }, { idempotencyKey: 'order-7' }))).toMatchObject({
        status: 409,
      });
      expect((await client.executions({ label: 'test:key' })).executions).toHaveLength(1);
    };
  },

  async 'a consumed event is not consumed again'({ client: before }) {
    const id = await run(before, waits);
    const event = { key: 'k', payload: { n: 1 } };
    expect(await before.sendEvent(id, event, { idempotencyKey: 'e1' })).toMatchObject({ matched: true, node_id: 'one' });
    return async ({ client }) => {
      expect(await client.sendEvent(id, event, { idempotencyKey: 'e1' })).toMatchObject({ matched: true, node_id: 'one' });
      expect(await settled(client, id)).toMatchObject({ status: 'paused', steps_executed: 1 });
      expect(await refusal(client.sendEvent(id, { ...event, payload: 2 }, { idempotencyKey: 'e1' }))).toMatchObject({
        status: 409,
      });
    };
  },

  async 'a map of 1,000 items repeats none that has completed'({ client: before }, folder) {
    const [log, go] = [join(folder, 'items.log'), join(folder, 'items.go')];
    const called = (): readonly number[] => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').map(Number) : []);
    const work = { type: 'tool', tool_ref: 'tally', input: { item: '{{ item }}', log, from: 300, go } };
    const map = { type: 'map', items: 'state.list', do: work, output_key: 'done' };
    await before.registerWorkflow(ir('listed', { m: map }, [['m', 'end']]));
    const list = Array.from({ length: 1_000 }, (_, item) => item);
    const { execution_id: id } = await before.start({ workflow_id: 'listed', input: { list } });
    const isHeldUp = async (): Promise<boolean> => {
      const [visit] = (await before.node(id, 'm')).visits;
      return visit?.items?.succeeded === 300;
    };
    await eventually(isHeldUp, '300 items have completed');
    return async ({ client }) => {
      expect(called()).toHaveLength(300);
      writeFileSync(go, '');
      expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { done: list } });
      expect(called().toSorted((a, b) => a - b)).toEqual(list);
    };
  },

  async 'a lease stays valid under its fence'({ client: before }) {
    const id = await run(before, work);
    const item = await claim(before, 'python_tool');
    return async ({ client }) => {
      expect(await client.claimWork({ worker_id: 'w2', queue_types: ['python_tool'] })).toEqual({ claimed: false });
      const lease = { worker_id: 'w1', lease_fence: item.lease_fence };
      expect(await client.heartbeat(item.id, lease)).toMatchObject({ renewed: true });
      expect(await refusal(client.heartbeat(item.id, { ...lease, lease_fence: item.lease_fence + 1 }))).toMatchObject({
        status: 409,
      });
      await client.completeWork(item.id, { output: { ok: true }, lease_fence: item.lease_fence });
      expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { ok: true } });
    };
  },

  async 'interrupted in-process work is retried under the next attempt'({ client: before }, folder) {
    const log = join(folder, 'retried');
    const id = await run(
      before,
      ir('again', { job: tool('noted', { input_mapping: { log, step: 'job', hangs: true } }) }, [['job', 'end']], {
        retry_policies: {},
      }),
    );
    await eventually(() => existsSync(log), 'the work begins');
    return async ({ client }) => {
      expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { job: { attempt: 1 } } });
      const key = `${id}:job:1`;
      expect(readFileSync(log, 'utf8')).toBe(`${id} job 0 ${key}\n${id} job 1 ${key}\n`);
      expect(await timeline(client, id)).toEqual([
        'workflow_started',
        'node_scheduled job',
        'node_started job',
        'node_failed job',
        'retry_scheduled job',
        'node_scheduled job',
        'node_started job',
        'tool_call_completed job',
        'node_completed job',
        'workflow_completed',
      ]);
      const failed = (await client.events(id)).find(({ type }) => type === 'node_failed');
      expect(failed?.data).toMatchObject({ error: 'runtime lost', attempt: 0, retryable: true });
    };
  },

  async 'interrupted work with a single attempt fails instead'({ client: before }, folder) {
    const log = join(folder, 'once');
    const id = await run(before, ir('once', { job: tool('patient', { node: { retry_policy: 'no_retry' } }) }, [['job', 'end']]), {
      log,
    });
    await eventually(() => existsSync(log), 'the work begins');
    return async ({ client }) => {
      expect(await settled(client, id)).toMatchObject({ status: 'failed' });
      expect(readFileSync(log, 'utf8')).toBe('job begun\n');
    };
  },

  async 'a revoked token stays revoked'({ client: before }) {
    const { token, id } = await before.createToken({ role: 'viewer' });
    await before.revokeToken(id);
    return async ({ url }) => {
      const response = await fetch(`${url}/executions`, { headers: { authorization: `Bearer ${token}` } });
      expect(response.status).toBe(401);
    };
  },
};

describe('across a restart', () => {
  const expected = new Map<string, (server: Next) => Promise<void>>();
  const folder = temporaryFolder();
  let after: Next;
  beforeAll(async () => {
    const before = await startServer({ folder, tools });
    for (const [name, act] of Object.entries(ACROSS_RESTART)) expected.set(name, await act(before, folder));
    await before.kill();
    after = await startHere({ folder, tools });
  });

  it.each(Object.keys(ACROSS_RESTART))('%s', (name) => expected.get(name)?.(after));
});

describe('a server', () => {
  const folder = temporaryFolder();
  let server: Next;
  beforeAll(async () => {
    server = await startHere({ folder });
  });

  it.each(['completed', 'failed'])('refuses later reports on an item that was %s with 409', async (outcome) => {
    const { client } = server;
    await run(client, work);
    const { id, lease_fence } = await claim(client, 'python_tool');
    if (outcome === 'completed') await client.completeWork(id, { output: 1, lease_fence });
    else await client.failWork(id, { error: 'no', retryable: false, lease_fence });
    expect(await refusal(client.completeWork(id, { output: 2, lease_fence }))).toMatchObject({
      status: 409,
      body: { completed: false },
    });
    expect(await refusal(client.failWork(id, { error: 'late', lease_fence }))).toMatchObject({ status: 409 });
    expect(await refusal(client.heartbeat(id, { worker_id: 'w1', lease_fence }))).toMatchObject({ status: 409 });
  });

  it('on the same file as another one is refused with the process id of the first', async () => {
    const problem = await startServer({ folder }).then(
      () => 'it started',
      (error: Error) => error.message,
    );
    expect(problem).toContain('the server ended before it listened');
    expect(problem).toMatch(/process \d+|pid \d+/);
    expect(await server.client.health()).toMatchObject({ status: 'ok' });
  });
});

describe('SIGTERM', () => {
  it('lets in-process work finish, and loses nothing', async () => {
    const folder = temporaryFolder(onTestFinished);
    const log = join(folder, 'calls');
    const before = await start(folder);
    const id = await run(
      before.client,
      ir('finish', { job: tool('noted', { input_mapping: { log, step: 'job', ms: 500 } }) }, [['job', 'end']]),
    );
    await eventually(() => existsSync(log), 'the work begins');
    expect(await before.terminate()).toEqual({ code: 0, signal: null });
    const { client } = await startHere({ folder });
    expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { job: { attempt: 0 } } });
    expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(1);
  });

  it('ends long polls, and does not wait if no work is in progress', async () => {
    const folder = temporaryFolder(onTestFinished);
    const before = await start(folder, withTimers(GRACE_MS, A_DAY_MS));
    const { client } = before;
    const id = await run(client, work);
    const waits = Promise.allSettled([
      client.claimWork({ worker_id: 'w', queue_types: ['java_tool'], wait_ms: 60_000 }),
      client.execution(id, { waitMs: 60_000 }),
      client.events(id, { after: 1_000, waitMs: 60_000 }),
    ]);
    await client.health();
    expect(await before.terminate()).toEqual({ code: 0, signal: null });
    expect((await waits).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
  });

  it('exits after the grace period, whatever the tools do', async () => {
    const folder = temporaryFolder(onTestFinished);
    const log = join(folder, 'calls');
    const before = await start(folder, withTimers(GRACE_MS, 100));
    const id = await run(before.client, ir('never', { job: tool('stubborn') }, [['job', 'end']]), { log });
    await eventually(() => existsSync(log), 'the work begins');
    expect(await before.terminate()).toEqual({ code: 0, signal: null });
    const { client } = await start(folder);
    await eventually(() => readFileSync(log, 'utf8') === 'stubborn begun\n'.repeat(2), 'handed back, it begins again');
    const started = (await client.events(id)).filter(({ type }) => type === 'node_started');
    expect(started.map(({ data }) => data.attempt)).toEqual([0, 0]);
  });
});
