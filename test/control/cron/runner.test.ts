import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Json } from '../../../machines/json.ts';
import { type CronDefinition, CronJobs } from '../../../src/control/cron/jobs.ts';
import type { ServerRuntime } from '../../../src/runtime/types/server-runtime.ts';
import { StoreError } from '../../../store/port/errors.ts';
import type { CronJob } from '../../../store/port/resources/cron.ts';
import type { Store } from '../../../store/port/store.ts';
import { FakeClock } from '../../support/clock.ts';
import { CALLER, crashCopy, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const CONTEXT = { tenantId: 'default', actorId: 'tester', actorType: 'human', request: null } as const;

const QUICK = {
  workflow_id: 'quick',
  version: '1',
  nodes: { a: { kind: { type: 'tool', tool_ref: 'echo' } } },
  edges: [{ from: 'a', to: 'end' }],
};
const SLOW = {
  workflow_id: 'slow',
  version: '1',
  nodes: { review: { kind: { type: 'human_approval', description: 'Go on?' } } },
  edges: [{ from: 'review', to: 'end' }],
};

interface CronTestRuntime extends TestRuntime {
  readonly cron: CronJobs;
  put(change?: Partial<CronDefinition>): Promise<CronJob>;
  job(): Promise<CronJob>;
  /** Scheduled times of the executions started, oldest first. */
  runs(): Promise<readonly string[]>;
}

interface Options {
  readonly path?: string;
  readonly clock?: FakeClock;
  /** Wraps the store or runtime that the jobs use. */
  readonly store?: (store: Store) => Store;
  readonly runtime?: (runtime: ServerRuntime) => ServerRuntime;
}

/** A new clock starts at 2026-03-12T10:00:00Z. */
async function openCron(options: Options = {}): Promise<CronTestRuntime> {
  const { path, clock } = options;
  const parts = await openTestRuntime({
    tools: { echo: (input: unknown) => input },
    ...(path === undefined ? {} : { path }),
    ...(clock === undefined ? {} : { clock }),
  });
  const store = options.store?.(parts.store) ?? parts.store;
  const runtime = options.runtime?.(parts.runtime) ?? parts.runtime;
  const onError = (error: unknown) => parts.errors.push(error);
  const cron = new CronJobs({ store, runtime, clock: parts.clock, onError });
  await cron.runner.start();
  onTestFinished(() => cron.runner.close());
  for (const document of [QUICK, SLOW]) await parts.runtime.register(CALLER, document as never);
  return {
    ...parts,
    cron,
    put: (change = {}) =>
      cron.put(
        {
          name: 'job',
          cronExpression: '0 * * * *',
          timezone: 'UTC',
          workflowId: 'quick',
          workflowVersion: null,
          input: {},
          missed: 'skip',
          overlap: 'allow',
          enabled: true,
          ...change,
        },
        { ...CONTEXT, atMs: parts.clock.nowMs() },
      ),
    job: () => cron.get('default', 'job'),
    async runs() {
      const found = (await parts.runtime.executions('default', { limit: 5_000 })).executions;
      return found.map(({ labels }) => labels['jamjet.cron.scheduled_at'] ?? '').reverse();
    },
  };
}

/** Opens the same database as another process would. */
async function reopen(first: CronTestRuntime, options: Omit<Options, 'path' | 'clock'> = {}): Promise<CronTestRuntime> {
  await first.cron.runner.close();
  await first.close();
  return openCron({ ...options, path: first.path, clock: first.clock });
}

/** Type and data of the control events about the job's runs. */
function controlEvents(path: string): readonly (readonly [string, Json])[] {
  const db = new Database(path, { readonly: true });
  const rows = db
    .prepare<[], { type: string; data: string; actor: string }>(
      "SELECT type, data, actor_id AS actor FROM control_events WHERE type LIKE 'cron_run_%' ORDER BY seq",
    )
    .all();
  db.close();
  expect(rows.every((row) => row.actor === 'cron:job')).toBe(true);
  return rows.map((row) => [row.type, JSON.parse(row.data)] as const);
}

/** Waits until the job is scheduled for that time and the timer is set. */
async function untilScheduledAt(made: CronTestRuntime, time: string): Promise<void> {
  await eventually(async () => (await made.job()).nextRunAtMs === Date.parse(time));
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Runs the given times one after the other. */
async function advanceThrough(made: CronTestRuntime, ...until: readonly string[]): Promise<void> {
  for (const time of until) {
    made.clock.advance(HOUR);
    await untilScheduledAt(made, time);
  }
}

describe('a missed run', () => {
  it('is skipped by "skip", with all others before the next time', async () => {
    const first = await openCron();
    await first.put();
    await first.cron.runner.close();
    first.clock.advance(5 * HOUR + 2 * MINUTE);
    const second = await reopen(first);
    await untilScheduledAt(second, '2026-03-12T16:00:00Z');
    expect(await second.runs()).toEqual([]);
    expect(controlEvents(second.path)).toEqual([
      [
        'cron_run_skipped',
        {
          name: 'job',
          reason: 'missed',
          scheduled_at_ms: Date.parse('2026-03-12T11:00:00Z'),
          next_run_at_ms: Date.parse('2026-03-12T16:00:00Z'),
        },
      ],
    ]);
    second.clock.advance(58 * MINUTE);
    await untilScheduledAt(second, '2026-03-12T17:00:00Z');
    expect(await second.runs()).toEqual(['2026-03-12T16:00:00.000Z']);
  });

  it('that is less than a minute late still runs', async () => {
    const first = await openCron();
    await first.put();
    await first.cron.runner.close();
    first.clock.advance(3 * HOUR + 59_000);
    const second = await reopen(first);
    await untilScheduledAt(second, '2026-03-12T14:00:00Z');
    expect(await second.runs()).toEqual(['2026-03-12T13:00:00.000Z']);
    expect(await second.job()).toMatchObject({ lastRunAtMs: Date.parse('2026-03-12T13:00:59Z') });
  });

  it('is run by "catch_up", in order', async () => {
    const first = await openCron();
    await first.put({ missed: 'catch_up' });
    await first.cron.runner.close();
    first.clock.advance(30 * HOUR);
    const second = await reopen(first);
    await untilScheduledAt(second, '2026-03-13T17:00:00Z');
    const expected = Array.from({ length: 30 }, (_, i) => new Date(Date.UTC(2026, 2, 12, 11 + i)).toISOString());
    expect(await second.runs()).toEqual(expected);
    expect(controlEvents(second.path)).toEqual([]);
  });

  it('is run at most a thousand times; older ones are skipped and recorded', async () => {
    const first = await openCron();
    await first.put({ missed: 'catch_up' });
    await first.cron.runner.close();
    first.clock.advance(1_200 * HOUR);
    const second = await reopen(first);
    const next = first.clock.nowMs() + HOUR;
    await eventually(async () => (await second.job()).nextRunAtMs === next);
    const runs = await second.runs();
    expect(runs).toHaveLength(1_000);
    expect([runs[0], runs.at(-1)]).toEqual([new Date(next - 1_000 * HOUR).toISOString(), new Date(next - HOUR).toISOString()]);
    expect(controlEvents(second.path)).toMatchObject([
      ['cron_run_skipped', { reason: 'missed', next_run_at_ms: next - 1_000 * HOUR }],
    ]);
  });
});

describe('a job whose last execution is still running', () => {
  it('starts another one with "allow"', async () => {
    const made = await openCron();
    await made.put({ workflowId: 'slow' });
    await advanceThrough(made, '2026-03-12T12:00:00Z', '2026-03-12T13:00:00Z');
    const statuses = (await made.runtime.executions('default', { limit: 9 })).executions.map(({ status }) => status);
    expect(statuses).toEqual(['paused', 'paused']);
  });

  it('skips its time with "skip", and runs again after that execution has ended', async () => {
    const made = await openCron();
    await made.put({ workflowId: 'slow', overlap: 'skip' });
    await advanceThrough(made, '2026-03-12T12:00:00Z');
    const { lastExecutionId } = await made.job();
    await advanceThrough(made, '2026-03-12T13:00:00Z');
    expect(await made.runs()).toEqual(['2026-03-12T11:00:00.000Z']);
    expect(controlEvents(made.path)).toMatchObject([['cron_run_skipped', { name: 'job', reason: 'overlap' }]]);
    await made.runtime.approve(CALLER, lastExecutionId ?? '', { decision: 'approved' });
    await advanceThrough(made, '2026-03-12T14:00:00Z');
    expect(await made.runs()).toEqual(['2026-03-12T11:00:00.000Z', '2026-03-12T13:00:00.000Z']);
  });

  it('cancels that execution first with "cancel"', async () => {
    const made = await openCron();
    await made.put({ workflowId: 'slow', overlap: 'cancel_running' });
    await advanceThrough(made, '2026-03-12T12:00:00Z', '2026-03-12T13:00:00Z');
    const found = (await made.runtime.executions('default', { limit: 9 })).executions;
    expect(found.map(({ status }) => status)).toEqual(['paused', 'cancelled']);
    const log = await made.log(found[1]?.executionId ?? '');
    expect(log.at(-1)).toMatchObject({
      type: 'workflow_cancelled',
      actorId: 'cron:job',
      data: { reason: 'the next run of cron job job is due' },
    });
  });
});

describe('a run that cannot be started', () => {
  it('is recorded, and the schedule continues', async () => {
    const made = await openCron();
    await made.put({ workflowVersion: '1' });
    const db = new Database(made.path);
    db.exec("DELETE FROM workflows WHERE workflow_id = 'quick'");
    db.close();
    await advanceThrough(made, '2026-03-12T12:00:00Z');
    expect(await made.job()).toMatchObject({
      lastError: 'workflow quick v1 not found',
      lastRunAtMs: null,
      lastExecutionId: null,
    });
    expect(controlEvents(made.path)).toMatchObject([['cron_run_failed', { name: 'job', error: 'workflow quick v1 not found' }]]);
    await made.runtime.register(CALLER, QUICK as never);
    await advanceThrough(made, '2026-03-12T13:00:00Z');
    expect(await made.job()).toMatchObject({ lastError: null, lastRunAtMs: Date.parse('2026-03-12T12:00:00Z') });
  });

  it('is recorded for a suspended tenant', async () => {
    const made = await openCron();
    await made.put();
    const db = new Database(made.path);
    db.exec("UPDATE tenants SET status = 'suspended'");
    db.close();
    await advanceThrough(made, '2026-03-12T12:00:00Z');
    expect(await made.job()).toMatchObject({ lastError: expect.stringContaining('suspended'), lastExecutionId: null });
  });
});

describe('an interrupted run', () => {
  it('between start and schedule update is not started again by the next process', async () => {
    let first: CronTestRuntime | null = null;
    let copy = '';
    const failingToRecord = (store: Store): Store =>
      new Proxy(store, {
        get: (target, key) =>
          key === 'cron'
            ? new Proxy(target.cron, {
                get: (cron, method) =>
                  method === 'recordRuns'
                    ? async () => {
                        copy = crashCopy(first?.path ?? '');
                        throw new StoreError('store_unavailable', 'power failure');
                      }
                    : Reflect.get(cron, method).bind(cron),
              })
            : typeof Reflect.get(target, key) === 'function'
              ? Reflect.get(target, key).bind(target)
              : Reflect.get(target, key),
      });
    first = await openCron({ store: failingToRecord });
    await first.put();
    first.clock.advance(HOUR);
    await eventually(() => copy !== '');
    const second = await openCron({ path: copy, clock: new FakeClock(first.clock.nowMs() + 1_000) });
    await untilScheduledAt(second, '2026-03-12T12:00:00Z');
    expect(await second.runs()).toEqual(['2026-03-12T11:00:00.000Z']);
    expect(await second.job()).toMatchObject({ lastExecutionId: expect.stringMatching(/^exec_/), lastError: null });
  });

  it('is retried until the store is available again', async () => {
    let away = true;
    const made = await openCron({
      runtime: (runtime) =>
        new Proxy(runtime, {
          get: (target, key) => {
            const value = Reflect.get(target, key);
            if (typeof value !== 'function') return value;
            if (key !== 'start') return value.bind(target);
            return (...request: Parameters<ServerRuntime['start']>) =>
              away ? Promise.reject(new StoreError('store_unavailable', 'away')) : target.start(...request);
          },
        }),
    });
    await made.put();
    made.clock.advance(HOUR);
    await eventually(() => made.errors.length === 1);
    expect((await made.job()).nextRunAtMs).toBe(Date.parse('2026-03-12T11:00:00Z'));
    away = false;
    made.clock.advance(1_000);
    await untilScheduledAt(made, '2026-03-12T12:00:00Z');
    expect(await made.runs()).toEqual(['2026-03-12T11:00:00.000Z']);
  });

  it('by two runners on one database is started once', async () => {
    const made = await openCron();
    const { store, runtime, clock } = made;
    const other = new CronJobs({ store, runtime, clock, onError: (error) => made.errors.push(error) });
    await made.put({ missed: 'catch_up', cronExpression: '*/10 * * * *' });
    await other.runner.start();
    onTestFinished(() => other.runner.close());
    made.clock.advance(DAY);
    await untilScheduledAt(made, '2026-03-13T10:10:00Z');
    const runs = await made.runs();
    expect(runs).toHaveLength(144);
    expect(new Set(runs).size).toBe(144);
    expect(made.errors).toEqual([]);
  });
});

describe('many jobs', () => {
  it('of many tenants run at the same time', async () => {
    const made = await openCron();
    for (let i = 0; i < 120; i += 1) await made.put({ name: `job ${i}`, input: { i } });
    made.clock.advance(HOUR);
    await eventually(async () => (await made.store.cron.nextRunAtMs()) === Date.parse('2026-03-12T12:00:00Z'));
    expect(await made.runs()).toHaveLength(120);
  });

  it('start nothing after the runner was closed', async () => {
    const made = await openCron();
    await made.put();
    await made.cron.runner.close();
    made.clock.advance(DAY);
    expect(await made.runs()).toEqual([]);
  });
});
