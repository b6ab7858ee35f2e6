import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';
import { createRuntime, openSqlite, type Runtime, type ScheduledWorkflow, Type, workflow } from '../../src/index.ts';
import { createServer, readConfig } from '../../src/library/server.ts';
import { FakeClock } from '../support/clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'jamjet-schedules-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const START_MS = Date.parse('2026-03-02T07:59:00Z');
const child = workflow({
  id: 'child',
  nodes: { hold: { type: 'wait', event: 'go' } },
  schedule: { cron: '30 9 * * *' },
});
const report = workflow({
  id: 'report',
  version: '1.0.0',
  state: Type.Object({ to: Type.Optional(Type.String()) }),
  nodes: { write: { type: 'subgraph', workflow: child } },
  schedule: { cron: '0 8 * * *', input: { to: 'ann' } },
});
const plain = workflow({ id: 'plain', nodes: { hold: { type: 'wait', event: 'go' } } });

let files = 0;

async function open(path = join(folder, `${files++}.db`), clock = new FakeClock(START_MS)) {
  const store = await openSqlite({ path });
  const runtime = await createRuntime({ store, clock, workflows: [report, plain] });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await runtime.close();
    await store.close();
  };
  onTestFinished(close);
  return { runtime, clock, path, close };
}

async function listed({ schedules }: Pick<Runtime, 'schedules'>): Promise<ScheduledWorkflow[]> {
  const found: ScheduledWorkflow[] = [];
  for await (const schedule of schedules.list()) found.push(schedule);
  return found;
}

describe('schedules of a runtime of the library', () => {
  it('are the cron jobs of the API: created, listed, paused, resumed, triggered, replaced and deleted', async () => {
    const { runtime } = await open();
    const { schedules } = runtime;
    await runtime.register(plain);
    const made = await schedules.put({ name: 'nightly', cronExpression: '0 2 * * *', workflowId: 'plain', input: { n: 1 } });
    expectTypeOf(made.nextRunAtMs).toEqualTypeOf<number | null>();
    expect(made).toEqual({
      id: expect.any(String),
      name: 'nightly',
      cronExpression: '0 2 * * *',
      timezone: 'UTC',
      workflowId: 'plain',
      workflowVersion: null,
      input: { n: 1 },
      enabled: true,
      missed: 'skip',
      overlap: 'allow',
      nextRunAtMs: Date.parse('2026-03-03T02:00:00Z'),
      lastRunAtMs: null,
      lastExecutionId: null,
      lastError: null,
      createdAtMs: START_MS,
    });
    expect(await schedules.get('nightly')).toEqual(made);
    expect(await schedules.pause('nightly')).toMatchObject({ enabled: false, nextRunAtMs: null });
    const first = await schedules.trigger('nightly', { idempotencyKey: 'now' });
    expect(await runtime.execution(first.executionId)).toMatchObject({ input: { n: 1 }, labels: { 'jamjet.cron': 'nightly' } });
    expect(await schedules.trigger('nightly', { idempotencyKey: 'now' })).toEqual({ ...first, replayed: true });
    expect(await schedules.resume('nightly')).toMatchObject({ enabled: true, lastExecutionId: first.executionId });
    await schedules.put({ name: 'nightly', cronExpression: '0 3 * * *', workflowId: 'plain' });
    expect(await listed(runtime)).toMatchObject([{ cronExpression: '0 3 * * *', lastExecutionId: null }]);
    await schedules.delete('nightly');
    expect(await listed(runtime)).toEqual([]);
    for (const method of ['get', 'delete', 'pause', 'resume', 'trigger'] as const)
      await expect(schedules[method]('nightly')).rejects.toMatchObject({ code: 'not_found' });
    const wrong = { name: 'x', cronExpression: 'soon', workflowId: 'plain' };
    await expect(schedules.put(wrong)).rejects.toMatchObject({ code: 'bad_request' });
    await expect(schedules.put({ ...wrong, cronExpression: '* * * * *', workflowId: 'none' })).rejects.toThrow('not registered');
  });

  it('belong to the tenant of the caller', async () => {
    const { runtime } = await open();
    await runtime.register(report);
    expect(await listed(runtime.as({ tenantId: 'other', actorId: 'bob', actorType: 'human' }))).toEqual([]);
  });

  it('start their workflows when they are due, also in a later process', async () => {
    const first = await open();
    const { schedules } = await first.runtime.register(report);
    expect(schedules).toMatchObject([
      { name: 'child', cronExpression: '30 9 * * *', workflowVersion: '0.1.0' },
      { name: 'report', cronExpression: '0 8 * * *', workflowVersion: '1.0.0', nextRunAtMs: START_MS + 60_000 },
    ]);
    first.clock.advance(60_000);
    await expect.poll(async () => (await first.runtime.schedules.get('report')).lastExecutionId).not.toBeNull();
    const { lastExecutionId } = await first.runtime.schedules.get('report');
    expect((await first.runtime.execution(lastExecutionId ?? '')).input).toEqual({ to: 'ann' });
    await first.close();
    const later = await open(first.path, new FakeClock(START_MS + 60_000));
    later.clock.advance(90 * 60_000);
    await expect.poll(async () => (await later.runtime.schedules.get('child')).lastExecutionId).not.toBeNull();
  });
});

describe('runtime.register of a definition', () => {
  it('leaves a schedule that says the same as it is, with its history and its pause', async () => {
    const { runtime, clock } = await open();
    await runtime.register(report);
    const { executionId } = await runtime.schedules.trigger('report');
    await runtime.schedules.pause('report');
    clock.advance(5_000);
    const before = await listed(runtime);
    expect((await runtime.register(report)).schedules).toEqual(before);
    expect(await listed(runtime)).toEqual(before);
    expect(before[1]).toMatchObject({ enabled: false, lastExecutionId: executionId });
  });

  it('replaces one that says something else', async () => {
    const { runtime } = await open();
    await runtime.register(report);
    const later = workflow({
      id: 'report',
      version: '1.1.0',
      nodes: { hold: { type: 'wait', event: 'go' } },
      schedule: { cron: '0 9 * * 1' },
    });
    expect((await runtime.register(later)).schedules).toMatchObject([{ cronExpression: '0 9 * * 1', workflowVersion: '1.1.0' }]);
    const off = workflow({
      id: 'report',
      version: '1.1.0',
      nodes: { hold: { type: 'wait', event: 'go' } },
      schedule: { cron: '0 9 * * 1', enabled: false },
    });
    expect((await runtime.register(off)).schedules).toMatchObject([{ enabled: false, nextRunAtMs: null }]);
  });

  it('creates none without `schedule`, with `schedules: false`, for a document, or by a start', async () => {
    const { runtime } = await open();
    expect(await runtime.register(plain)).toMatchObject({ workflowId: 'plain', schedules: [] });
    expect(await runtime.register(report, { schedules: false })).toMatchObject({ workflowId: 'report', schedules: [] });
    expect(await runtime.register(report.document)).not.toHaveProperty('schedules');
    await runtime.start(report, { to: 'bob' });
    expect(await listed(runtime)).toEqual([]);
  });
});

describe('the runtime of a server', () => {
  it('has its schedules', async () => {
    const config = readConfig({ DATABASE_URL: `sqlite:${join(folder, 'server.db')}`, JAMJET_LOG: 'silent' });
    const { app, runtime, close } = await createServer({ config, auth: 'off' });
    onTestFinished(() => close(0));
    await runtime.register(report);
    const { cron_jobs } = (await app.inject('/cron')).json();
    expect(cron_jobs.map(({ name }: { name: string }) => name)).toEqual(['child', 'report']);
  });
});
