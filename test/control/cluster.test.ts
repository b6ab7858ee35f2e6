import { describe, expect, it, onTestFinished } from 'vitest';
import { ControlPlane } from '../../src/control/control-plane.ts';
import { Outbound } from '../../src/executors/outbound/index.ts';
import { PAYMENT, REVIEW } from '../api/support/api.ts';
import { webServer } from '../executors/web-server.ts';
import { type ClusterMember, openCluster, waitUntil } from '../support/cluster.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { postgresDatabase, postgresServer } from '../support/postgres.ts';
import { CALLER } from '../support/runtimes.ts';

const QUICK = {
  workflow_id: 'quick',
  version: '1',
  nodes: { a: { kind: { type: 'tool', tool_ref: 'echo' } } },
  edges: [{ from: 'a', to: 'end' }],
} as never;
const tools = { echo: (input: unknown) => input };
const EVERY_MINUTE_JOB = {
  name: 'tick',
  cronExpression: '* * * * *',
  timezone: 'UTC',
  workflowId: 'quick',
  workflowVersion: null,
  input: {},
  missed: 'skip',
  overlap: 'allow',
  enabled: true,
} as const;

const server = postgresServer();

interface ServingMember extends ClusterMember {
  readonly control: ControlPlane;
}

/** Servers on one database, each with its control plane. The first one started is the leader. */
function servers() {
  const cluster = openCluster(postgresDatabase(server));
  const serve = async (): Promise<ServingMember> => {
    const member = await cluster.join({ tools });
    const { store, runtime, clock, errors } = member;
    const outbound = new Outbound({ allowPrivateAddresses: true });
    const control = new ControlPlane({ store, runtime, outbound, clock, onError: (error) => errors.push(error) });
    await control.start();
    onTestFinished(() => control.close());
    return { ...member, control };
  };
  return { ...cluster, serve };
}

function action({ clock }: ClusterMember) {
  return { tenantId: 'default', atMs: clock.nowMs(), actorId: 'root', actorType: 'human', request: null } as const;
}

async function runsOf({ runtime }: ClusterMember): Promise<readonly string[]> {
  const { executions } = await runtime.executions('default', { limit: 100, labels: [{ key: 'jamjet.cron', value: 'tick' }] });
  return executions.map(({ labels }) => labels['jamjet.cron.scheduled_at'] ?? '').sort();
}

describe('singleton services', () => {
  it('run each cron time once, also for a job created on another server', async () => {
    const { serve, advance: pass } = servers();
    const [a, b, c] = [await serve(), await serve(), await serve()];
    await b.runtime.register(CALLER, QUICK);
    await b.control.cron.put(EVERY_MINUTE_JOB, action(b));
    for (let minute = 1; minute <= 3; minute += 1) {
      // The leader is notified of the job before it is due.
      await pass(60_000);
      await waitUntil(async () => (await runsOf(c)).length === minute);
    }
    expect(await runsOf(a)).toEqual(['2026-03-12T10:01:00.000Z', '2026-03-12T10:02:00.000Z', '2026-03-12T10:03:00.000Z']);
  });

  it('move to another server when the leader is lost', async () => {
    const { serve, advance: pass } = servers();
    const [a, b] = [await serve(), await serve()];
    await a.runtime.register(CALLER, QUICK);
    await a.control.cron.put(EVERY_MINUTE_JOB, action(a));
    await pass(60_000);
    await waitUntil(async () => (await runsOf(b)).length === 1);
    a.freeze();
    await pass(60_000);
    await waitUntil(async () => (await runsOf(b)).length === 2);
    await a.thaw();
    await pass(60_000);
    await waitUntil(async () => (await runsOf(b)).length === 3);
    expect(new Set(await runsOf(b)).size).toBe(3);
  });

  it('move at once when the leader shuts down', async () => {
    const { serve } = servers();
    const [a, b] = [await serve(), await serve()];
    const { url, requests } = await webServer((_request, response) => response.end());
    await b.control.webhooks.create({ url, events: ['*'], workflowId: null, description: null, enabled: true }, action(b));
    await a.control.close();
    const id = await b.run(REVIEW);
    const log = await b.log(id);
    await waitUntil(() => requests.length === log.length);
  });

  it('deliver each event to a webhook once, whichever server commits it', async () => {
    const { serve } = servers();
    const members = [await serve(), await serve(), await serve()];
    const [a, b, c] = members as [ServingMember, ServingMember, ServingMember];
    const { url, requests } = await webServer((_request, response) => response.end());
    await c.control.webhooks.create({ url, events: ['*'], workflowId: null, description: null, enabled: true }, action(c));
    const ids = await Promise.all([a.run(PAYMENT), b.run(PAYMENT), c.run(PAYMENT)]);
    for (const [i, id] of ids.entries()) {
      await (members[(i + 1) % 3] as ServingMember).runtime.sendEvent(CALLER, id, { key: 'paid', payload: {} });
      expect(await a.settled(id)).toMatchObject({ status: 'completed' });
    }
    const logs = await Promise.all(ids.map((id) => a.log(id)));
    const expected = logs.flatMap((log, i) => log.map(({ sequence }) => `${ids[i]} ${sequence}`));
    await waitUntil(() => requests.length >= expected.length);
    const received = requests.map(({ body }) => {
      const { execution_id, event } = JSON.parse(body) as { execution_id: string; event: { sequence: number } };
      return `${execution_id} ${event.sequence}`;
    });
    expect([...received].sort()).toEqual([...expected].sort());
    for (const { errors } of members) expect(errors).toEqual([]);
  });

  it('deliver exactly the events committed after a webhook was created, despite a server with a slow clock', async () => {
    const { serve } = servers();
    const [a, b] = [await serve(), await serve()] as const;
    const { url, requests } = await webServer((_request, response) => response.end());
    const every = { events: ['*'], workflowId: null, description: null, enabled: true };
    await a.control.webhooks.create({ ...every, url: 'http://127.0.0.1:1/' }, action(a));
    await a.run(PAYMENT);
    await b.control.webhooks.create({ ...every, url }, action(b));
    b.clock.advance(-90_000);
    const id = await b.run(PAYMENT);
    const log = await a.log(id);
    await waitUntil(() => requests.length >= log.length);
    const received = requests.map(({ body }) => (JSON.parse(body) as { execution_id: string }).execution_id);
    expect(received).toEqual(log.map(() => id));
  });

  it('run a bulk job, and wake a client that waits for it on another server', async () => {
    const { serve } = servers();
    const [a, b] = [await serve(), await serve()];
    const ids = await Promise.all(Array.from({ length: 5 }, () => b.run(REVIEW)));
    b.clock.advance(1);
    const job = await b.control.jobs.start(
      { action: 'cancel', filter: { workflowId: 'review' }, all: false, reason: null } as never,
      { ...action(b) },
    );
    const ended = await b.control.jobs.settled('default', job.id, { waitMs: 60_000 }, AbortSignal.timeout(PATIENCE_MS));
    expect(ended).toMatchObject({ status: 'completed', succeeded: 5 });
    for (const id of ids) expect((await a.runtime.execution('default', id)).status).toBe('cancelled');
  });
});

describe('per-server services', () => {
  it('stream the events of all servers on each server', async () => {
    const { serve } = servers();
    const [a, b] = [await serve(), await serve()];
    const closing = new AbortController();
    const { events } = await b.control.live.follow('default', {
      cursor: null,
      filter: () => true,
      signal: closing.signal,
      pace: async () => {},
    });
    const received: string[] = [];
    const following = (async () => {
      for await (const { logged } of events) received.push(`${logged.executionId} ${logged.seq}`);
    })();
    const id = await a.run(PAYMENT);
    await b.runtime.sendEvent(CALLER, id, { key: 'paid', payload: {} });
    await a.settled(id);
    const log = await a.log(id);
    await waitUntil(() => received.length === log.length);
    expect(received).toEqual(log.map(({ sequence }) => `${id} ${sequence}`));
    closing.abort();
    await following;
  });

  it('drop cached tenant status when another server changes the tenant', async () => {
    const { serve } = servers();
    const [a, b] = [await serve(), await serve()];
    await b.run(REVIEW);
    await a.control.tenants.create('acme', {}, action(a));
    const acme = { ...CALLER, tenantId: 'acme' };
    await b.runtime.register(acme, REVIEW);
    await b.runtime.start(acme, { workflowId: 'review', input: {} });
    await a.control.tenants.update('acme', { status: 'suspended' }, action(a));
    await waitUntil(async () => {
      const refusal = await b.runtime.start(acme, { workflowId: 'review', input: {} }).catch((error: unknown) => error);
      return (refusal as { code?: string }).code === 'tenant_not_active';
    });
  });
});
