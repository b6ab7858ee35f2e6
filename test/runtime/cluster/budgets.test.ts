import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { monthOf } from '../../../src/runtime/month.ts';
import { chatAnswer, reply } from '../../executors/model/asking.ts';
import { webServer } from '../../executors/web-server.ts';
import { openCluster, waitUntil } from '../../support/cluster.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { CALLER } from '../../support/runtimes.ts';

const server = postgresServer();

/** A provider that answers when it is told to; each answer has taken 1,000 tokens in all. */
async function provider() {
  const open: (() => void)[] = [];
  const { url, requests } = await webServer((_request, response) => {
    const usage = { prompt_tokens: 900, completion_tokens: 100, total_tokens: 1_000 };
    open.push(() => reply(response, { ...chatAnswer({ content: 'hello' }), usage }));
  });
  return { requests, open, models: { providers: { openai: { apiKey: 'sk-secret-0123', baseUrl: url } } } };
}

const names = (prefix: string): readonly string[] => Array.from({ length: 8 }, (_, i) => `${prefix}${i}`);

/** Eight calls at once, and eight more after an event. */
function calls(more: JsonObject = {}): JsonObject {
  const model = { kind: { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Say hello' } };
  return {
    workflow_id: 'wide',
    version: '1',
    start_node: 'all',
    nodes: {
      all: { kind: { type: 'parallel', branches: [...names('first'), 'gate'] } },
      gate: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'more' } },
      rest: { kind: { type: 'parallel', branches: [...names('more')] } },
      ...Object.fromEntries([...names('first'), ...names('more')].map((name) => [name, model])),
    },
    edges: [{ from: 'gate', to: 'rest' }, ...[...names('first'), ...names('more')].map((from) => ({ from, to: 'end' }))],
    ...more,
  };
}

describe('calls of models under a budget, on several servers', () => {
  it('begin one by one wherever the execution is stepped: at most one goes beyond', async () => {
    const { models, requests, open } = await provider();
    const cluster = openCluster(postgresDatabase(server));
    const [first, second, third] = [
      await cluster.join({ models }),
      await cluster.join({ models }),
      await cluster.join({ models }),
    ];
    const id = await first.run(calls({ token_budget: { total_tokens: 1_000 } }));
    await waitUntil(() => open.length === 1);
    await second.runtime.sendEvent(CALLER, id, { key: 'more', payload: {} });
    await third.runtime.pause(CALLER, id, 'wait');
    await third.runtime.resume(CALLER, id);
    await waitUntil(async () => {
      open.shift()?.();
      return (await second.runtime.execution('default', id)).status === 'failed';
    });
    expect(requests).toHaveLength(2);
    expect((await second.log(id)).filter(({ type }) => type === 'token_budget_exceeded')).toMatchObject([
      { data: { current: 2_000 } },
    ]);
  });

  it('begin one by one on the server that takes over, which counts what the lost one had sent', async () => {
    const { models, requests, open } = await provider();
    const cluster = openCluster(postgresDatabase(server));
    const [first, second] = [await cluster.join({ models }), await cluster.join({ models })];
    const id = await first.run(calls({ token_budget: { total_tokens: 1_000 } }));
    await waitUntil(() => open.length === 1);
    first.freeze();
    await cluster.advance(60_000);
    await waitUntil(() => open.length === 2);
    expect((await second.log(id)).find(({ data }) => data.error === 'runtime lost')).toMatchObject({
      data: { finish_reason: 'aborted', input_tokens: expect.any(Number) },
    });
    open.shift();
    await waitUntil(async () => {
      open.shift()?.();
      return (await second.runtime.execution('default', id)).status === 'failed';
    });
    // That of the lost server, and of the other the one within the budget, of which the lost one has taken a part, and perhaps one more.
    expect(requests.length).toBeLessThanOrEqual(3);
  });
});

it('a monthly limit refuses starts on every server as soon as one has counted what reaches it', async () => {
  const { models, open } = await provider();
  const cluster = openCluster(postgresDatabase(server));
  const [first, second] = [await cluster.join({ models }), await cluster.join({ models })];
  const atMs = first.clock.nowMs();
  const context = { tenantId: 'default', atMs, actorId: 'ann', actorType: 'human', request: null } as const;
  const limits = JSON.stringify({ max_tokens_per_month: 1_000 });
  const changed = await first.store.tenants.update('default', { limits }, context);
  for (const { runtime } of [first, second]) runtime.tenants.changed('default', changed);
  const ids = [await first.run(calls()), await second.run(calls())];
  await waitUntil(() => open.length === 16);
  open.shift()?.();
  const used = async () => (await second.store.tenants.usage('default', monthOf(second.clock.nowMs()))).tokens;
  await waitUntil(async () => (await used()) === 1_000);
  for (const { runtime } of [first, second])
    await expect(runtime.start(CALLER, { workflowId: 'wide', input: {} })).rejects.toMatchObject({
      code: 'limit_exceeded_tokens',
    });
  // What had started goes on.
  for (const answer of open.splice(0)) answer();
  await waitUntil(async () => (await used()) === 16_000);
  for (const id of ids) await first.runtime.cancel(CALLER, id);
});
