import { describe, expect, it } from 'vitest';
import type { Usage } from '../../../machines/messages.ts';
import { countedUsage } from '../../../src/runtime/quotas/usage-bounds.ts';
import { EXTERNAL } from '../../api/support/api.ts';
import { reply } from '../../executors/model/asking.ts';
import { webServer } from '../../executors/web-server.ts';
import { CALLER, openTestRuntime } from '../../support/runtimes.ts';

const TOKENS = { input_tokens: 1_000_000, output_tokens: 1_000_000 };
const counted = (usage: Usage, limits = {}, prices = {}) => countedUsage(usage, limits, prices);

describe('what an attempt reports', () => {
  it.each<Usage>([
    {},
    { input_tokens: 5, output_tokens: 6 },
    { cost_usd: 100 },
    { gen_ai_model: 'gpt-4o', ...TOKENS, cost_usd: 12.5 },
    { gen_ai_model: 'gpt-4o-2024-08-06', ...TOKENS, cost_usd: 3 },
    { gen_ai_model: 'gpt-4o', cost_usd: 99 },
    { gen_ai_system: 'scripted', gen_ai_model: 'gpt-4o', input_tokens: 90, output_tokens: 10, cost_usd: 0.25 },
    { input_tokens: 10_000_000, output_tokens: 10_000_000 },
  ])('counts as it is within the limits: %j', (usage) => {
    expect(counted(usage)).toBe(usage);
  });

  it('counts no cost beyond that of a call, and keeps its tokens', () => {
    expect(counted({ cost_usd: 1e308, output_tokens: 7 })).toEqual({
      output_tokens: 7,
      usage_refused: { cost_usd: 1e308, max_cost_usd: 100 },
    });
    expect(counted({ cost_usd: 3 }, { max_cost_per_call_usd: 2 })).toEqual({ usage_refused: { cost_usd: 3, max_cost_usd: 2 } });
    expect(counted({ cost_usd: 300 }, { max_cost_per_call_usd: 300 })).toEqual({ cost_usd: 300 });
  });

  it('counts the cost of the price list where more is reported', () => {
    expect(counted({ gen_ai_model: 'gpt-4o', ...TOKENS, cost_usd: 50 })).toEqual({
      gen_ai_model: 'gpt-4o',
      ...TOKENS,
      cost_usd: 12.5,
      usage_refused: { cost_usd: 50, max_cost_usd: 12.5 },
    });
    const prices = { ours: { input: 1, output: 2 } };
    expect(counted({ gen_ai_model: 'ours', ...TOKENS, cost_usd: 9 }, {}, prices)).toMatchObject({ cost_usd: 3 });
  });

  it('counts no tokens beyond those of a call, nor a cost that follows from them', () => {
    const usage = { gen_ai_model: 'gpt-4o', input_tokens: 10, output_tokens: 1e15, cost_usd: 80 };
    expect(counted(usage)).toEqual({
      gen_ai_model: 'gpt-4o',
      input_tokens: 10,
      cost_usd: 0.000025,
      usage_refused: { output_tokens: 1e15, max_tokens: 10_000_000, cost_usd: 80, max_cost_usd: 0.000025 },
    });
    expect(counted({ input_tokens: 6 }, { max_tokens_per_call: 5 })).toEqual({
      usage_refused: { input_tokens: 6, max_tokens: 5 },
    });
  });
});

const MONTH = '2026-03';
const TOOL = { workflow_id: 'pay', version: '1', nodes: { call: { kind: { type: 'tool', tool_ref: 'call' } } }, edges: [] };

describe('a report beyond the limits of a call', () => {
  it.each([
    ['of a tool', 1e8, {}],
    ['of a tool whose tenant allows less', 5, { max_cost_per_call_usd: 4 }],
  ])('%s counts neither for a budget nor for the month, and its result stays', async (_what, costUsd, limits) => {
    const call = (_input: unknown, context: Context) => {
      context.reportUsage({ costUsd });
      return 1;
    };
    const { run, settled, log, store } = await openTestRuntime({ tools: { call } });
    const context = { tenantId: 'default', atMs: 1, actorId: 'op', actorType: 'human', request: null } as const;
    await store.tenants.update('default', { limits: JSON.stringify(limits) }, context);
    const id = await run({ ...TOOL, cost_budget_usd: 1 });
    expect(await settled(id)).toMatchObject({ status: 'completed' });
    const done = (await log(id)).find(({ type }) => type === 'node_completed');
    expect(done?.data).toMatchObject({ output: 1, usage_refused: { cost_usd: expect.any(Number) } });
    expect(await store.tenants.usage('default', MONTH)).toEqual({ tokens: 0, costUsd: 0 });
  });

  it('of a sidecar does not, and the price list counts for a model that is on it', async () => {
    const usage = { input_tokens: 1_000, output_tokens: 100, cost_usd: 1e308 };
    const { url, requests } = await webServer((_request, response) => {
      const { model } = JSON.parse(requests.at(-1)?.body ?? '');
      reply(response, { message: { role: 'assistant', content: 'hello' }, model, finish_reason: 'stop', ...usage });
    });
    const { run, settled, log, store } = await openTestRuntime({ models: { sidecarUrl: url } });
    const ask = (model_ref: string) => ({ kind: { type: 'model', model_ref, prompt_ref: 'Say hello' } });
    const document = { workflow_id: 'ask', version: '1', nodes: { known: ask('gpt-4o'), own: ask('ours') } };
    const id = await run({ ...document, edges: [{ from: 'known', to: 'own' }], cost_budget_usd: 1 });
    expect(await settled(id)).toMatchObject({ status: 'completed' });
    const done = (await log(id)).filter(({ type }) => type === 'node_completed');
    expect(done.map(({ data }) => data.cost_usd)).toEqual([0.0035, undefined]);
    expect(done.map(({ data }) => data.usage_refused)).toEqual([
      { cost_usd: 1e308, max_cost_usd: 0.0035 },
      { cost_usd: 1e308, max_cost_usd: 100 },
    ]);
    expect(await store.tenants.usage('default', MONTH)).toEqual({ tokens: 2_200, costUsd: 0.0035 });
  });

  it('of a worker counts no more, whether it completes or fails', async () => {
    const { run, runtime, store, log } = await openTestRuntime();
    const id = await run(EXTERNAL);
    const claim = async () => (await runtime.claim(CALLER, { workerId: 'w', queueTypes: ['python_tool'] }))[0]?.id ?? '';
    await runtime.fail(CALLER, await claim(), { error: 'no', retryable: false, usage: { costUsd: 1e308, inputTokens: 3 } });
    expect((await log(id)).find(({ type }) => type === 'node_failed')?.data).toMatchObject({
      input_tokens: 3,
      usage_refused: { cost_usd: 1e308, max_cost_usd: 100 },
    });
    await run(EXTERNAL);
    await runtime.complete(CALLER, await claim(), { output: 1, durationMs: 1, usage: { costUsd: 1e308, outputTokens: 4 } });
    expect(await store.tenants.usage('default', MONTH)).toEqual({ tokens: 7, costUsd: 0 });
  });
});

interface Context {
  reportUsage(usage: object): void;
}
