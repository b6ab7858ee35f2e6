import { describe, expect, it } from 'vitest';
import type { LiveUpdate } from '../../../../src/runtime/types/executions.ts';
import type { ToolContext, ToolLogEntry } from '../../../../src/runtime/types/work.ts';
import { CALLER, eventually, openTestRuntime } from '../../../support/runtimes.ts';

const tool = (ref: string) => ({ kind: { type: 'tool', tool_ref: ref } });
const line = (nodes: Record<string, object>, more: object = {}) => {
  const ids = Object.keys(nodes);
  const edges = ids.map((from, i) => ({ from, to: ids[i + 1] ?? 'end' }));
  return { workflow_id: 'line', version: '1', nodes, edges, ...more } as never;
};

/** A tool that goes on until it is told to end. */
function held(begin: (context: ToolContext) => void) {
  const contexts: ToolContext[] = [];
  let finish: () => void = () => {};
  const work = (_input: unknown, context: ToolContext) =>
    new Promise((resolve) => {
      contexts.push(context);
      begin(context);
      finish = () => resolve({});
    });
  return { work, contexts, finish: () => finish() };
}

function reading(updates: AsyncIterable<LiveUpdate>): LiveUpdate[] {
  const read: LiveUpdate[] = [];
  void (async () => {
    for await (const update of updates) read.push(update);
  })();
  return read;
}

describe('reportUsage', () => {
  it('is logged with the attempt, also with a failed one', async () => {
    const work = ({ n }: { n: number }, { reportUsage, attempt }: ToolContext) => {
      reportUsage({ inputTokens: n });
      reportUsage({ inputTokens: 1, outputTokens: 2, costUsd: 0.25 });
      if (attempt === 0) throw new Error('not yet');
      return {};
    };
    const { run, settled, log, clock } = await openTestRuntime({ tools: { work } });
    const retry = { retry_policies: { once: { max_attempts: 2, backoff_strategy: 'fixed', initial_delay_ms: 1 } } };
    const id = await run(line({ a: { ...tool('work'), retry_policy: 'once' } }, retry), { n: 7 });
    await eventually(async () => {
      clock.advance(1000);
      return (await log(id)).some(({ type }) => type === 'node_completed');
    });
    await settled(id);
    const reports = (await log(id)).filter(({ type }) => type === 'node_failed' || type === 'node_completed');
    const usage = { input_tokens: 8, output_tokens: 2, cost_usd: 0.25 };
    expect(reports.map(({ data }) => data)).toEqual([expect.objectContaining(usage), expect.objectContaining(usage)]);
  });

  it('counts against a budget of the workflow', async () => {
    const work = (_input: unknown, { reportUsage }: ToolContext) => {
      reportUsage({ costUsd: 0.6 });
      return {};
    };
    const { run, settled } = await openTestRuntime({ tools: { work } });
    const id = await run(line({ a: tool('work'), b: tool('work'), c: tool('work') }, { cost_budget_usd: 1 }));
    expect(await settled(id)).toMatchObject({ status: 'failed', error: expect.stringContaining('budget') });
  });

  it('fails the attempt for good if it cannot be counted', async () => {
    const work = (_input: unknown, { reportUsage }: ToolContext) => reportUsage({ costUsd: -1 });
    const { run, settled, timeline } = await openTestRuntime({ tools: { work } });
    const id = await run(line({ a: tool('work') }));
    expect((await settled(id)).error).toContain('reportUsage: costUsd');
    expect((await timeline(id)).filter((entry) => entry.startsWith('node_failed'))).toHaveLength(1);
  });
});

describe('log', () => {
  it('writes to the log of the process, with the attempt', async () => {
    const lines: ToolLogEntry[] = [];
    const work = (_input: unknown, { log }: ToolContext) => {
      log.warn('few left', { stock: 2 });
      log.debug('done');
      return {};
    };
    const { run, settled } = await openTestRuntime({ tools: { work }, onToolLog: (entry) => lines.push(entry) });
    const id = await run(line({ a: tool('work') }));
    await settled(id);
    const attempt = { tenantId: 'default', executionId: id, nodeId: 'a', attempt: 0 };
    expect(lines).toEqual([
      { level: 'warn', message: 'few left', fields: { stock: 2 }, ...attempt },
      { level: 'debug', message: 'done', fields: {}, ...attempt },
    ]);
  });
});

describe('progress', () => {
  it('reaches readers while the tool runs, late ones with the last report, and leaves no trace', async () => {
    const tools = held(({ progress }) => progress('loading'));
    const { run, runtime, settled, clock, timeline } = await openTestRuntime({ tools: { work: tools.work } });
    const stop = new AbortController();
    const id = await run(line({ a: tool('work') }));
    await eventually(() => tools.contexts.length === 1);
    const read = reading(runtime.live('default', id, stop.signal));
    await eventually(() => read.length === 1);
    const visit = { executionId: id, nodeId: 'a', activation: 1, attempt: 0 };
    expect(read).toEqual([{ ...visit, progress: { fraction: null, text: 'loading' } }]);
    tools.contexts[0]?.progress(0);
    await eventually(() => read.length === 2);
    for (let done = 1; done <= 1000; done += 1) tools.contexts[0]?.progress(done / 1000);
    await new Promise(setImmediate);
    expect(read).toHaveLength(2);
    clock.advance(100);
    await eventually(() => read.length === 3);
    expect(read.at(-1)).toEqual({ ...visit, progress: { fraction: 1, text: 'loading' } });
    const late = reading(runtime.live('default', id, stop.signal));
    await eventually(() => late.length === 1);
    expect(late).toEqual([read.at(-1)]);
    tools.finish();
    await settled(id);
    expect(reading(runtime.live('default', id, stop.signal))).toEqual([]);
    expect((await timeline(id)).some((entry) => entry.includes('progress'))).toBe(false);
    stop.abort();
  });

  it('is shown without personal data', async () => {
    const tools = held(({ progress }) => progress('mail to ann@example.com'));
    const { run, runtime } = await openTestRuntime({ tools: { work: tools.work } });
    const id = await run(line({ a: tool('work') }, { data_policy: { pii_detectors: ['email'] } }));
    const stop = new AbortController();
    const read = reading(runtime.live('default', id, stop.signal));
    await eventually(() => read.length === 1);
    expect(read).toMatchObject([{ progress: { text: 'mail to [REDACTED]' } }]);
    stop.abort();
    tools.finish();
  });

  it('is not shown to another tenant', async () => {
    const tools = held(({ progress }) => progress(0.5));
    const { run, runtime } = await openTestRuntime({ tools: { work: tools.work } });
    const id = await run(line({ a: tool('work') }));
    await eventually(() => tools.contexts.length === 1);
    const stop = new AbortController();
    const strangers = reading(runtime.live('acme', id, stop.signal));
    const own = reading(runtime.live('default', id, stop.signal));
    await eventually(() => own.length === 1);
    expect(strangers).toEqual([]);
    stop.abort();
    tools.finish();
  });
});

describe('heartbeat', () => {
  it('resolves while the attempt is wanted, and rejects once it is not', async () => {
    const tools = held(() => {});
    const { run, runtime } = await openTestRuntime({ tools: { work: tools.work } });
    const id = await run(line({ a: tool('work') }));
    await eventually(() => tools.contexts.length === 1);
    const [context] = tools.contexts;
    await expect(context?.heartbeat()).resolves.toBeUndefined();
    await runtime.cancel(CALLER, id);
    await eventually(() => context?.signal.aborted === true);
    await expect(context?.heartbeat()).rejects.toThrow('the node was cancelled');
    tools.finish();
  });
});

it('gives a context whose copies work like it', async () => {
  const seen: ToolContext[] = [];
  const work = (_input: unknown, context: ToolContext) => {
    const copy = { ...context };
    copy.progress(0.5);
    copy.reportUsage({ inputTokens: 3 });
    copy.log.info('copied');
    seen.push(copy);
    return {};
  };
  const { run, settled, log } = await openTestRuntime({ tools: { work } });
  const id = await run(line({ a: tool('work') }));
  await settled(id);
  expect(seen[0]?.tenantId).toBe('default');
  expect((await log(id)).find(({ type }) => type === 'node_completed')?.data.input_tokens).toBe(3);
});
