import { describe, expect, it, onTestFinished } from 'vitest';
import { Metrics, type MetricsOptions } from '../../../src/telemetry/metrics/index.ts';
import { type PrometheusMetrics, parsePrometheus } from '../../support/prometheus.ts';
import { CALLER, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const PRIVATE = 'ada@example.com';

async function metered(options: Parameters<typeof openTestRuntime>[0] = {}, more: Partial<MetricsOptions> = {}) {
  const parts = await openTestRuntime(options);
  const { runtime, store, clock, errors } = parts;
  const onError = (error: unknown): void => void errors.push(error);
  const metrics = new Metrics({
    runtime,
    store,
    nowMs: () => clock.nowMs(),
    onError,
    tenantLabel: false,
    processMetrics: false,
    ...more,
  });
  await metrics.start();
  onTestFinished(() => metrics.close());
  const scrape = async (): Promise<PrometheusMetrics> => parsePrometheus((await metrics.scrape()).text);
  return { ...parts, metrics, scrape };
}

const FLAKY = {
  workflow_id: 'flaky',
  version: '1',
  retry_policies: { r: { max_attempts: 2, backoff: 'fixed', initial_delay: 2, max_delay: 2, jitter: false, retryable_on: [] } },
  nodes: { call: { kind: { type: 'tool', tool_ref: 'call' }, retry_policy: 'r' } },
  edges: [{ from: 'call', to: 'end' }],
};

const EXTERNAL = {
  workflow_id: 'external',
  version: '1',
  nodes: { work: { kind: { type: 'python_fn', module: 'm', function: 'f' } } },
  edges: [{ from: 'work', to: 'end' }],
};

/** Runs the workflow to its end, with one failed attempt. */
async function runFlaky({ run, settled, clock, log }: TestRuntime): Promise<void> {
  const id = await run(FLAKY, { name: PRIVATE });
  while (!(await log(id)).some(({ type }) => type === 'retry_scheduled')) await new Promise(setImmediate);
  clock.advance(2_000);
  await settled(id);
}

const failsOnce = {
  call: (_input: unknown, { attempt }: { readonly attempt: number }) => {
    if (attempt === 0) throw new Error(`no answer for ${PRIVATE}`);
    return { answer: PRIVATE };
  },
};

describe('metrics', () => {
  it('count executions by workflow and status, and the attempts of their nodes', async () => {
    const it = await metered({ tools: failsOnce });
    await runFlaky(it);
    const { value } = await it.scrape();
    expect(value('jamjet_executions_started_total', { workflow: 'flaky' })).toBe(1);
    expect(value('jamjet_executions_ended_total', { workflow: 'flaky', status: 'completed' })).toBe(1);
    expect(value('jamjet_execution_duration_seconds_sum', { workflow: 'flaky', status: 'completed' })).toBeGreaterThanOrEqual(2);
    const tool = { workflow: 'flaky', kind: 'tool' };
    expect(value('jamjet_attempts_started_total', tool)).toBe(2);
    expect(value('jamjet_attempts_ended_total', { ...tool, outcome: 'failed' })).toBe(1);
    expect(value('jamjet_attempts_ended_total', { ...tool, outcome: 'completed' })).toBe(1);
    expect(value('jamjet_attempt_duration_seconds_count', { kind: 'tool', outcome: 'completed' })).toBe(1);
    expect(value('jamjet_retries_total', tool)).toBe(1);
  });

  it('show steps, commits and late timers', async () => {
    const it = await metered({ tools: failsOnce });
    await runFlaky(it);
    const { value } = await it.scrape();
    expect(value('jamjet_messages_total')).toBeGreaterThanOrEqual(4);
    expect(value('jamjet_step_duration_seconds_count')).toBeGreaterThanOrEqual(4);
    expect(value('jamjet_commit_duration_seconds_count')).toBe(value('jamjet_commit_batch_executions_count'));
    expect(value('jamjet_events_total')).toBe(
      (await it.log((await it.runtime.executions('default', { limit: 1 })).executions[0]?.executionId ?? '')).length,
    );
    expect(value('jamjet_timer_lateness_seconds_count', { kind: 'timer' })).toBe(1);
    expect(value('jamjet_commit_failures_total')).toBe(0);
    expect(value('jamjet_execution_cache_hits_total')).toBeGreaterThanOrEqual(3);
  });

  it('show the queues of external workers, their oldest item, and leases', async () => {
    const it = await metered();
    await it.run(EXTERNAL);
    await it.run(EXTERNAL);
    const claim = { workerId: 'w', queueTypes: ['python_tool'] };
    it.clock.advance(7_000);
    const before = await it.scrape();
    expect(before.value('jamjet_queue_items', { queue: 'python_tool' })).toBe(2);
    expect(before.value('jamjet_queue_oldest_age_seconds', { queue: 'python_tool' })).toBe(7);
    expect(before.value('jamjet_leases')).toBe(0);
    expect(before.value('jamjet_executions', { status: 'running' })).toBe(2);
    await it.runtime.claim(CALLER, claim);
    // What is read from the database counts for fifteen seconds.
    expect((await it.scrape()).value('jamjet_leases')).toBe(0);
    it.clock.advance(15_000);
    const after = await it.scrape();
    expect(after.value('jamjet_leases')).toBe(1);
    expect(after.value('jamjet_queue_items', { queue: 'python_tool' })).toBe(1);
    expect(after.value('jamjet_work_items_claimed_total', { queue: 'python_tool' })).toBe(1);
    expect(after.value('jamjet_work_item_wait_seconds_sum', { queue: 'python_tool' })).toBe(7);
  });

  it('count leases that expire', async () => {
    const it = await metered();
    const id = await it.run(EXTERNAL);
    await it.runtime.claim(CALLER, { workerId: 'w', queueTypes: ['python_tool'] });
    it.clock.advance(31_000);
    while (!(await it.log(id)).some(({ type }) => type === 'node_failed')) await new Promise(setImmediate);
    expect((await it.scrape()).value('jamjet_leases_expired_total')).toBe(1);
  });

  it('name the tenant only if that is asked for', async () => {
    const it = await metered({ tools: failsOnce }, { tenantLabel: true });
    await runFlaky(it);
    const { value, samples } = await it.scrape();
    expect(value('jamjet_executions_started_total', { tenant: 'default', workflow: 'flaky' })).toBe(1);
    expect(samples.some(({ name, labels }) => name === 'jamjet_commit_duration_seconds_count' && 'tenant' in labels)).toBe(false);
  });

  it('contain nothing of inputs, outputs and errors', async () => {
    const it = await metered({ tools: failsOnce });
    await runFlaky(it);
    expect((await it.metrics.scrape()).text).not.toContain(PRIVATE);
  });

  it('leave out what the database cannot tell, and report why', async () => {
    const it = await metered();
    await it.run(EXTERNAL);
    await it.store.close();
    const { value } = await it.scrape();
    expect(value('jamjet_messages_pending')).toBe(0);
    expect(value('jamjet_executions', { status: 'running' })).toBeUndefined();
    expect(value('jamjet_leases')).toBeUndefined();
    expect(it.errors.length).toBeGreaterThan(0);
    it.errors.length = 0;
  });

  it('count nothing any more once they are closed', async () => {
    const it = await metered({ tools: failsOnce });
    it.metrics.close();
    await runFlaky(it);
    expect((await it.scrape()).value('jamjet_executions_started_total', { workflow: 'flaky' })).toBeUndefined();
  });
});
