import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../machines/json.ts';
import { chatAnswer, reply } from '../../../executors/model/asking.ts';
import { webServer } from '../../../executors/web-server.ts';
import { CALLER, databasePath, eventually, openTestRuntime } from '../../../support/runtimes.ts';

const modelsAt = (baseUrl: string) => ({ providers: { openai: { apiKey: 'sk-secret-0123', baseUrl } } });
const model = { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Say {{ state.word }}', output_schema: 'answer' };

function asking(kind: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return { workflow_id: 'ask', version: '1', nodes: { think: { kind: { ...model, ...kind } } }, edges: [], ...more };
}

describe('a model node', () => {
  it('asks with the rendered prompt, and logs what was used', async () => {
    const { url, requests } = await webServer((_request, response) =>
      reply(response, chatAnswer({ content: '{"said": "hello"}' })),
    );
    const { run, settled, log } = await openTestRuntime({ models: modelsAt(url) });
    const id = await run(asking(), { word: 'hello' });
    expect(await settled(id)).toMatchObject({
      status: 'completed',
      state: { word: 'hello', answer: { said: 'hello' }, last_model_finish_reason: 'stop', last_model_tool_calls: [] },
    });
    expect(JSON.parse(requests[0]?.body ?? '')).toMatchObject({ messages: [{ role: 'user', content: 'Say hello' }] });
    const events = await log(id);
    expect(events.find(({ type }) => type === 'node_completed')?.data).toMatchObject({
      output: { said: 'hello' },
      gen_ai_system: 'openai',
      gen_ai_model: 'gpt-4o-2024-08-06',
      input_tokens: 1000,
      output_tokens: 100,
      finish_reason: 'stop',
      cost_usd: 0.0035,
      gen_ai_response_id: 'chatcmpl-1',
    });
    expect(JSON.stringify(events)).not.toContain('sk-secret-0123');
  });

  it.each([
    ['with a delay', 'llm_default'],
    ['without a delay', 'at_once'],
  ])('is parked by a provider that is over its limit, under a retry policy %s, also over a restart', async (_title, policy) => {
    let asked = 0;
    const { url } = await webServer((_request, response) => {
      asked += 1;
      if (asked === 1) reply(response, { error: { message: 'slow down' } }, 429, { 'retry-after': '60' });
      else reply(response, chatAnswer({ content: 'hello' }));
    });
    const path = databasePath();
    const first = await openTestRuntime({ path, models: modelsAt(url) });
    const retry_policies = { at_once: { max_attempts: 2, initial_delay: 0 } };
    const nodes = { think: { kind: model, retry_policy: policy } };
    const id = await first.run(asking({}, { nodes, retry_policies }), { word: 'hello' });
    await eventually(async () => (await first.timeline(id)).includes('node_parked think'));
    const until = first.clock.nowMs() + 60_000;
    expect((await first.log(id)).slice(-2)).toMatchObject([
      { type: 'node_failed', data: { retryable: true, error_class: 'rate_limit', http_status: 429 } },
      { type: 'node_parked', data: { attempt: 1, delay_ms: 60_000, retry_after: new Date(until).toISOString() } },
    ]);
    const { clock } = first;
    await first.close();

    const second = await openTestRuntime({ path, clock, models: modelsAt(url) });
    clock.advance(59_000);
    expect((await second.timeline(id)).at(-1)).toBe('node_parked think');
    clock.advance(1_000);
    expect(await second.settled(id)).toMatchObject({ status: 'completed', state: { answer: 'hello' } });
    expect(asked).toBe(2);
    expect(await second.runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });

  it('that was cancelled has its request aborted', async () => {
    let aborted = false;
    const { url, requests } = await webServer((request) => {
      request.socket.on('close', () => {
        aborted = true;
      });
    });
    const { run, runtime, settled } = await openTestRuntime({ models: modelsAt(url) });
    const id = await run(asking(), { word: 'hello' });
    await eventually(() => requests.length === 1);
    await runtime.cancel(CALLER, id, 'enough');
    expect((await settled(id)).status).toBe('cancelled');
    await eventually(() => aborted);
  });

  it('whose provider says nothing fails at its deadline', async () => {
    const { url, requests } = await webServer(() => {});
    const { run, clock, settled, log } = await openTestRuntime({ models: modelsAt(url) });
    const nodes = { think: { kind: model, node_timeout_secs: 20, retry_policy: 'no_retry' } };
    const id = await run({ ...asking(), nodes }, { word: 'hello' });
    await eventually(() => requests.length === 1);
    clock.advance(20_000);
    expect((await settled(id)).status).toBe('failed');
    expect((await log(id)).find(({ type }) => type === 'node_failed')?.data).toMatchObject({
      error: 'timed out after 20 s',
      error_class: 'timeout',
    });
  });

  it('is asked again after a crash', async () => {
    let asked = 0;
    const { url } = await webServer((_request, response) => {
      asked += 1;
      if (asked > 1) reply(response, chatAnswer({ content: 'hello' }));
    });
    const path = databasePath();
    const first = await openTestRuntime({ path, models: modelsAt(url) });
    const id = await first.run(asking(), { word: 'hello' });
    await eventually(() => asked === 1);
    const { clock } = first;
    await first.close();
    const second = await openTestRuntime({ path, clock, models: modelsAt(url) });
    await eventually(async () => {
      clock.advance(1_000);
      return (await second.runtime.execution('default', id)).status === 'completed';
    });
    expect(asked).toBe(2);
  });

  it('counts against the budget of its execution', async () => {
    const { url } = await webServer((_request, response) => reply(response, chatAnswer({ content: 'hello' })));
    const { run, settled, timeline } = await openTestRuntime({ models: modelsAt(url) });
    const id = await run(asking({}, { token_budget: { total_tokens: 500 } }), { word: 'hello' });
    expect((await settled(id)).status).toBe('failed');
    expect(await timeline(id)).toContain('token_budget_exceeded think');
  });

  it('counts also if its answer does not fit: it is paid for', async () => {
    const { url } = await webServer((_request, response) => reply(response, chatAnswer({ content: 'hello' })));
    const { run, settled, log, runtime } = await openTestRuntime({ models: modelsAt(url) });
    const retry_policies = { quick: { max_attempts: 3, backoff: 'fixed', initial_delay: 0, max_delay: 0 } };
    const nodes = { think: { kind: { ...model, output_schema: { type: 'object' } }, retry_policy: 'quick' } };
    const id = await run(asking({}, { nodes, retry_policies, token_budget: { total_tokens: 2_000 } }), { word: 'hello' });
    expect(await settled(id)).toMatchObject({
      status: 'failed',
      error: 'token budget exceeded: 2200 of 2000 total_tokens',
    });
    const failures = (await log(id)).filter(({ type }) => type === 'node_failed');
    expect(failures).toHaveLength(2);
    expect(failures[0]?.data).toMatchObject({
      error_class: 'invalid_answer',
      gen_ai_model: 'gpt-4o-2024-08-06',
      input_tokens: 1000,
      output_tokens: 100,
      cost_usd: 0.0035,
    });
    expect(await runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });

  it('counts for the parent of its execution, too', async () => {
    const { url } = await webServer((_request, response) => reply(response, chatAnswer({ content: 'hello' })));
    const { run, settled, log, runtime } = await openTestRuntime({ models: modelsAt(url) });
    await runtime.register(CALLER, asking());
    const id = await run(
      {
        workflow_id: 'parent',
        version: '1',
        cost_budget_usd: 0.001,
        nodes: {
          sub: { kind: { type: 'subgraph', workflow_ref: 'ask' } },
          after: { kind: { type: 'subgraph', workflow_ref: 'ask' } },
        },
        edges: [{ from: 'sub', to: 'after' }],
      },
      { word: 'hello' },
    );
    expect(await settled(id)).toMatchObject({ status: 'failed', error: 'cost budget exceeded: 0.0035 of 0.001 USD' });
    expect((await log(id)).find(({ type }) => type === 'child_workflow_completed')?.data).toMatchObject({
      input_tokens: 1000,
      output_tokens: 100,
      cost_usd: 0.0035,
    });
    expect(await runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });

  it('without a key fails for good and says what to set', async () => {
    const { run, settled } = await openTestRuntime({});
    const view = await settled(await run(asking(), { word: 'hello' }));
    expect(view).toMatchObject({ status: 'failed', error: expect.stringContaining('set OPENAI_API_KEY') });
  });

  it.each<[string, JsonObject, string]>([
    ['has the model', { model_allowlist: ['openai/gpt-4o*'] }, 'completed'],
    ['has other models', { model_allowlist: ['claude-*'] }, 'failed'],
    ['is empty', { model_allowlist: [], blocked_tools: ['shell.*'] }, 'completed'],
  ])('whose allowlist %s', async (_what, policy, status) => {
    const { url } = await webServer((_request, response) => reply(response, chatAnswer({ content: 'hello' })));
    const { run, settled } = await openTestRuntime({ models: modelsAt(url) });
    expect((await settled(await run(asking({}, { policy }), { word: 'hello' }))).status).toBe(status);
  });

  it('gives the turns of a loop with tools their messages', async () => {
    const { url, requests } = await webServer((_request, response) => {
      const call = { id: 'call_1', type: 'function', function: { name: 'add', arguments: '{"a":1,"b":2}' } };
      if (requests.length === 1) reply(response, chatAnswer({ tool_calls: [call] }, 'tool_calls'));
      else reply(response, chatAnswer({ content: 'Three.' }));
    });
    const tools = {
      add: ({ messages, last_model_tool_calls: calls }: { messages: JsonObject[]; last_model_tool_calls: JsonObject[] }) => ({
        messages: [
          ...messages,
          { role: 'assistant', content: null, tool_calls: calls },
          ...calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: '3' })),
        ],
      }),
    };
    const { run, settled } = await openTestRuntime({ models: modelsAt(url), tools });
    const turn = { kind: { type: 'model', model_ref: 'gpt-4o', tools: [{ name: 'add' }] } };
    const gate = {
      type: 'condition',
      branches: [{ condition: 'state.last_model_finish_reason == "tool_calls"', target: 'tools' }, { target: 'end' }],
    };
    const document = {
      workflow_id: 'loop',
      version: '1',
      start_node: 'turn',
      nodes: { turn, gate: { kind: gate }, tools: { kind: { type: 'tool', tool_ref: 'add' } } },
      edges: [
        { from: 'turn', to: 'gate' },
        { from: 'tools', to: 'turn' },
      ],
    };
    const view = await settled(await run(document, { messages: [{ role: 'user', content: '1 + 2?' }] }));
    expect(view).toMatchObject({ status: 'completed', state: { last_model_output: 'Three.', last_model_finish_reason: 'stop' } });
    expect(JSON.parse(requests[1]?.body ?? '').messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ id: 'call_1', function: { name: 'add', arguments: '{"a":1,"b":2}' } }] },
      { role: 'tool', tool_call_id: 'call_1', content: '3' },
    ]);
  });
});
