import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import { chatAnswer, reply } from '../../../executors/model/asking.ts';
import { webServer } from '../../../executors/web-server.ts';
import { CALLER, databasePath, eventually, openTestRuntime } from '../../../support/runtimes.ts';

const modelsAt = (baseUrl: string) => ({ providers: { openai: { apiKey: 'sk-secret-0123', baseUrl } } });
const judge = { type: 'llm_judge', model: 'gpt-4o', rubric: 'Is it about {{ state.topic }}?' };

/** A tool writes, and an eval node scores what it writes. */
function scored(kind: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    workflow_id: 'scored',
    version: '1',
    start_node: 'write',
    retry_policies: { twice: { max_attempts: 2, backoff: 'fixed', initial_delay: 5, max_delay: 60 } },
    nodes: {
      write: { kind: { type: 'tool', tool_ref: 'write', output_key: 'text' } },
      score: { kind: { type: 'eval', ...kind }, ...more },
    },
    edges: [{ from: 'write', to: 'score' }],
  };
}

const answerWith = (response: ServerResponse, score: Json, reason = 'because') =>
  reply(response, chatAnswer({ content: JSON.stringify({ score, reason }) }));

/** Tools that write the given texts one after the other, and are told the feedback. */
function writing(...texts: readonly Json[]) {
  const feedbacks: Json[] = [];
  const write = ({ eval_feedback = null }: { eval_feedback?: Json }): Json => {
    feedbacks.push(eval_feedback);
    return texts[Math.min(feedbacks.length, texts.length) - 1] ?? null;
  };
  return { tools: { write }, feedbacks };
}

describe('an eval node', () => {
  it('that times out logs what all its judges used, that of the unfinished call included', async () => {
    const { url, requests } = await webServer((_request, response) => {
      if (requests.length === 1) answerWith(response, 4);
    });
    const { run, timeline, log, clock } = await openTestRuntime({ models: modelsAt(url), tools: writing('Green tea').tools });
    const id = await run(scored({ scorers: [judge, judge] }, { timeout: '5s' }), { topic: 'tea' });
    await eventually(() => requests.length === 2);
    clock.advance(5_000);
    await eventually(async () => (await timeline(id)).includes('node_failed score'));
    const { data } = (await log(id)).find(({ type }) => type === 'node_failed') ?? {};
    expect(data).toMatchObject({ error_class: 'timeout', output_tokens: 100 });
    // The first judge has answered after 1,000 tokens.
    expect(data?.input_tokens).toBeGreaterThan(1_100);
  });

  it('is scored by a judge that is told the rubric and the output, and logs what the judge used', async () => {
    const { url, requests } = await webServer((_request, response) => answerWith(response, 4, 'all about tea'));
    const { run, settled, log, runtime } = await openTestRuntime({ models: modelsAt(url), tools: writing('Green tea').tools });
    const id = await run(scored({ scorers: [judge, { type: 'assertion', check: "'tea' in output" }] }), { topic: 'tea' });
    const results = [
      { scorer: 'llm_judge', passed: true, score: 4, message: 'score 4 of 5 (at least 3): all about tea' },
      { scorer: 'assertion', passed: true, score: 1, message: 'all 1 checks hold' },
    ];
    expect(await settled(id)).toMatchObject({
      status: 'completed',
      state: {
        eval_passed: true,
        eval_action: 'continue',
        eval_results: results,
        score: { passed: true, action: 'continue', scorers: results },
      },
    });
    const [, { content }] = JSON.parse(requests[0]?.body ?? '').messages;
    expect(content).toContain('Rubric: Is it about tea?');
    expect(content).toContain('<output>\nGreen tea\n</output>');
    const events = await log(id);
    expect(events.find(({ type }) => type === 'eval_scored')).toMatchObject({
      nodeId: 'score',
      data: { passed: true, action: 'continue', results, activation: 1 },
    });
    const usage = { gen_ai_model: 'gpt-4o-2024-08-06', input_tokens: 1000, output_tokens: 100, cost_usd: 0.0035 };
    expect(events.find(({ type, nodeId }) => type === 'node_completed' && nodeId === 'score')?.data).toMatchObject(usage);
    expect(JSON.stringify(events)).not.toContain('sk-secret-0123');
    expect(await runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });

  it('finds the output under the output_key of the node before it, and leaves other keys of it empty', async () => {
    const { run, settled } = await openTestRuntime({ tools: writing('Green tea').tools });
    const check = (text: string, more: JsonObject = {}) => ({
      scorers: [{ type: 'assertion', check: text }],
      on_fail: 'log_and_continue',
      ...more,
    });
    const passes = async (kind: JsonObject) => (await settled(await run(scored(kind)))).state.eval_passed;
    expect(await passes(check('len(output.text) >= 9'))).toBe(true);
    expect(await passes(check("'Green' in output['text']"))).toBe(true);
    expect(await passes(check('output.other == null'))).toBe(true);
    expect(await passes(check('output.text == null', { input_expr: 'state.text' }))).toBe(true);
  });

  it('has the work done again with the feedback, until it passes', async () => {
    const { tools, feedbacks } = writing('short', 'longer', 'long enough');
    const { run, settled, timeline, runtime } = await openTestRuntime({ tools });
    const retries = {
      scorers: [{ type: 'assertion', checks: ['len(output) > 8'] }],
      on_fail: 'retry_with_feedback',
      max_retries: 2,
    };
    const id = await run(scored(retries));
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { text: 'long enough', eval_passed: true } });
    expect((await settled(id)).state).not.toHaveProperty('eval_feedback');
    const feedback = 'The last result did not pass:\n- assertion: failed: len(output) > 8';
    expect(feedbacks).toEqual([null, feedback, feedback]);
    expect((await timeline(id)).filter((line) => /^(eval_scored|node_completed)/.test(line))).toEqual(
      Array(3).fill(['node_completed write', 'eval_scored score', 'node_completed score']).flat(),
    );
    expect(await runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });

  it('fails after the last retry, with its scores in the log', async () => {
    const { tools, feedbacks } = writing('short');
    const { run, settled, log } = await openTestRuntime({ tools });
    const id = await run(
      scored({ scorers: [{ type: 'assertion', checks: ['len(output) > 8'] }], on_fail: 'retry_with_feedback', max_retries: 1 }),
    );
    expect(await settled(id)).toMatchObject({
      status: 'failed',
      error: 'score: did not pass: assertion: failed: len(output) > 8',
    });
    expect(feedbacks).toHaveLength(2);
    const events = await log(id);
    expect(events.filter(({ type }) => type === 'eval_scored').map(({ data }) => data.action)).toEqual([
      'retry_with_feedback',
      'halt',
    ]);
    expect(events.find(({ type }) => type === 'node_failed')?.data).toMatchObject({
      error_class: 'eval_failed',
      retryable: false,
    });
  });

  it('fails at once by default, and a retry of the execution scores again', async () => {
    let score = 1;
    const { url } = await webServer((_request, response) => answerWith(response, score));
    const { run, settled, runtime } = await openTestRuntime({ models: modelsAt(url), tools: writing('x').tools });
    const id = await run(scored({ scorers: [judge] }), { topic: 'tea' });
    expect((await settled(id)).status).toBe('failed');
    score = 5;
    await runtime.retry(CALLER, id);
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { eval_passed: true } });
    expect(await runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });

  it('only logs what does not pass, if it is told to', async () => {
    const { run, settled } = await openTestRuntime({ tools: writing({ ok: false }).tools });
    const id = await run(scored({ scorers: [{ type: 'assertion', checks: ['output.ok'] }], on_fail: 'log_and_continue' }));
    expect(await settled(id)).toMatchObject({
      status: 'completed',
      state: { eval_passed: false, eval_action: 'log_and_continue', eval_feedback: expect.stringContaining('output.ok') },
    });
  });

  it('lets a person decide, also after a restart, and a fork asks again', async () => {
    const path = databasePath();
    const tools = writing({ ok: false }).tools;
    const first = await openTestRuntime({ path, tools });
    const document = scored({ scorers: [{ type: 'assertion', checks: ['output.ok'] }], on_fail: 'escalate' });
    const id = await first.run(document);
    expect((await first.settled(id)).status).toBe('paused');
    const { clock } = first;
    await first.close();

    const second = await openTestRuntime({ path, clock, tools });
    const pending = await second.runtime.approvals('default', id);
    expect(pending.pending).toMatchObject([
      {
        nodeId: 'score',
        toolName: 'human_approval',
        context: { description: 'score did not pass: assertion: failed: output.ok' },
      },
    ]);
    const { sequence: atSequence } = await second.runtime.execution('default', id);
    const forked = await second.runtime.fork(CALLER, id, { atSequence, statePatch: { note: 'forked' } });
    const fork = String(forked.executionId);
    await second.runtime.approve(CALLER, id, { decision: 'approved', comment: 'good enough' });
    expect(await second.settled(id)).toMatchObject({
      status: 'completed',
      state: { eval_passed: false, score: { passed: false, action: 'escalate', decision: 'approved', comment: 'good enough' } },
    });
    const asked = (await second.log(fork)).filter(({ type }) => type === 'interrupt_raised');
    expect(asked.map(({ data }) => (data.state_for_review as JsonObject).note)).toEqual([undefined, 'forked']);
    await second.runtime.approve(CALLER, fork, { decision: 'rejected' });
    expect(await second.settled(fork)).toMatchObject({ status: 'failed', error: expect.stringContaining('rejected by tester') });
    for (const each of [id, fork]) expect(await second.runtime.replay('default', each)).toMatchObject({ mismatch: null });
  });

  it('scores the time and the cost of the work before it', async () => {
    const { url } = await webServer((_request, response) => reply(response, chatAnswer({ content: 'Green tea' })));
    const { run, settled } = await openTestRuntime({ models: modelsAt(url) });
    const document = scored({
      scorers: [
        { type: 'latency', max_ms: 60_000 },
        { type: 'cost', threshold_usd: 0.003 },
      ],
      on_fail: 'log_and_continue',
    });
    const write = { kind: { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Write' } };
    const id = await run({ ...document, nodes: { ...(document.nodes as JsonObject), write } });
    expect((await settled(id)).state).toMatchObject({
      eval_passed: false,
      eval_results: [
        { scorer: 'latency', passed: true, message: expect.stringMatching(/^\d+ ms \(limit 60000 ms\)$/) },
        { scorer: 'cost', passed: false, score: 0.0035, message: '0.0035 USD (limit 0.003 USD)' },
      ],
    });
  });

  it('does not pass for a cost that is not known', async () => {
    const { url } = await webServer((_request, response) =>
      reply(response, { ...chatAnswer({ content: 'tea' }), model: 'unpriced' }),
    );
    const { run, settled } = await openTestRuntime({ models: modelsAt(url) });
    const document = scored({ scorers: [{ type: 'cost' }] });
    const write = { kind: { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Write' } };
    const id = await run({ ...document, nodes: { ...(document.nodes as JsonObject), write } });
    expect((await settled(id)).error).toContain('its model has no price');
  });

  it('asks a tool of the operator, or an HTTP tool of the workflow', async () => {
    const { url, requests } = await webServer((_request, response) => reply(response, { passed: false, message: 'too dry' }));
    const style = ({ output, kwargs }: { output: string; kwargs: { word: string } }) => ({
      passed: output.includes(kwargs.word),
      score: 0.5,
      message: 'has the word',
    });
    const { run, settled } = await openTestRuntime({
      tools: { ...writing('Green tea').tools, style },
      allowPrivateAddresses: true,
    });
    const scorers = [
      { type: 'custom', module: 'style', kwargs: { word: 'tea' } },
      { type: 'custom', module: '', scorer_ref: 'remote' },
    ];
    const tools = { remote: { kind: 'http', reference: `${url}/score` } };
    const id = await run({ ...scored({ scorers, on_fail: 'log_and_continue' }), tools });
    expect((await settled(id)).state).toMatchObject({
      eval_results: [
        { scorer: 'custom', passed: true, score: 0.5, message: 'style: has the word' },
        { scorer: 'custom', passed: false, score: null, message: 'remote: too dry' },
      ],
    });
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual({ output: 'Green tea', kwargs: {} });
  });

  it.each<[string, Json]>([
    ['text', 'fine'],
    ['a number', 3],
    ['an object without passed', { score: 3 }],
  ])('fails for good when a scorer returns %s', async (_what, returned) => {
    const { run, settled } = await openTestRuntime({ tools: { ...writing('x').tools, odd: () => returned } });
    const view = await settled(await run(scored({ scorers: [{ type: 'custom', module: 'odd' }] })));
    expect(view.error).toContain('the scorer odd must return true, false or {passed, score, message}');
  });

  it('warns at its registration of scorers that are no tools', async () => {
    const { runtime } = await openTestRuntime({ tools: { ...writing('x').tools, style: () => true } });
    const scorers = ['style', 'remote', 'stile', 'app.checks'].map((module) => ({ type: 'custom', module }));
    const tools = { remote: { kind: 'http', reference: 'https://scores.example' } };
    const { warnings } = await runtime.register(CALLER, { ...scored({ scorers }), tools });
    expect(warnings).toMatchObject([
      { code: 'scorer_needs_tool', node_id: 'score', path: 'nodes.score.scorers[2].module', hint: 'did you mean "style"?' },
      { code: 'scorer_needs_tool', severity: 'warning', path: 'nodes.score.scorers[3].module' },
    ]);
    expect(warnings[1]?.message).toContain('the scorer "app.checks" is no tool of this server');
  });

  it('fails for good when its scorer is no tool', async () => {
    const { run, settled, timeline } = await openTestRuntime({ tools: writing('x').tools });
    const id = await run(scored({ scorers: [{ type: 'custom', module: 'nowhere' }] }, { retry_policy: 'twice' }));
    expect((await settled(id)).error).toContain('the scorer "nowhere" is not a tool');
    expect(await timeline(id)).not.toContain('retry_scheduled score');
  });
});

describe('the judge of an eval node', () => {
  it.each<[string, Json]>([
    ['is not JSON', 'five'],
    ['is beyond the scale', JSON.stringify({ score: 9, reason: '' })],
    ['has no score', JSON.stringify({ reason: 'fine' })],
  ])('whose answer %s is asked again', async (_what, content) => {
    let asked = 0;
    const { url } = await webServer((_request, response) => {
      asked += 1;
      if (asked === 1) reply(response, chatAnswer({ content }));
      else answerWith(response, 5);
    });
    const { run, clock, runtime, log } = await openTestRuntime({ models: modelsAt(url), tools: writing('x').tools });
    const id = await run(scored({ scorers: [judge] }, { retry_policy: 'twice' }), { topic: 'tea' });
    await eventually(async () => {
      clock.advance(1_000);
      return (await runtime.execution('default', id)).status === 'completed';
    });
    expect((await log(id)).find(({ type }) => type === 'node_failed')?.data).toMatchObject({ error_class: 'invalid_answer' });
  });

  it('parks the node when its provider is over the limit', async () => {
    let asked = 0;
    const { url } = await webServer((_request, response) => {
      asked += 1;
      if (asked === 1) reply(response, { error: { message: 'slow down' } }, 429, { 'retry-after': '60' });
      else answerWith(response, 5);
    });
    const { run, clock, timeline, settled } = await openTestRuntime({ models: modelsAt(url), tools: writing('x').tools });
    const id = await run(scored({ scorers: [judge] }, { retry_policy: 'twice' }), { topic: 'tea' });
    await eventually(async () => (await timeline(id)).includes('node_parked score'));
    clock.advance(60_000);
    expect((await settled(id)).status).toBe('completed');
  });

  it('that says nothing is given up at the deadline, and its request is aborted by a cancellation', async () => {
    let closed = 0;
    const { url, requests } = await webServer((request) => {
      request.socket.on('close', () => {
        closed += 1;
      });
    });
    const { run, clock, settled, runtime } = await openTestRuntime({ models: modelsAt(url), tools: writing('x').tools });
    const document = scored({ scorers: [judge] }, { node_timeout_secs: 20, retry_policy: 'no_retry' });
    const late = await run(document, { topic: 'tea' });
    await eventually(() => requests.length === 1);
    clock.advance(20_000);
    expect((await settled(late)).error).toContain('timed out after 20 s');
    const id = await run(document, { topic: 'tea' });
    await eventually(() => requests.length === 2);
    await runtime.cancel(CALLER, id, 'enough');
    expect((await settled(id)).status).toBe('cancelled');
    await eventually(() => closed === 2);
  });

  it('is asked again after a crash', async () => {
    let asked = 0;
    const { url } = await webServer((_request, response) => {
      asked += 1;
      if (asked > 1) answerWith(response, 5);
    });
    const path = databasePath();
    const { tools, feedbacks } = writing('x');
    const first = await openTestRuntime({ path, models: modelsAt(url), tools });
    const id = await first.run(scored({ scorers: [judge] }), { topic: 'tea' });
    await eventually(() => asked === 1);
    const { clock } = first;
    await first.close();
    const second = await openTestRuntime({ path, clock, models: modelsAt(url), tools });
    await eventually(async () => {
      clock.advance(1_000);
      return (await second.runtime.execution('default', id)).status === 'completed';
    });
    expect({ asked, written: feedbacks.length }).toEqual({ asked: 2, written: 1 });
    expect(await second.runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });

  it('is a model that the workflow declares, and that its policy allows', async () => {
    const { url, requests } = await webServer((_request, response) => answerWith(response, 5));
    const { run, settled } = await openTestRuntime({ models: modelsAt(url), tools: writing('x').tools });
    const declared = {
      ...scored({ scorers: [{ ...judge, model: 'fast' }] }),
      models: { fast: { provider: 'openai', model: 'gpt-4o-mini', temperature: 0.5 } },
    };
    expect((await settled(await run(declared, { topic: 'tea' }))).status).toBe('completed');
    expect(JSON.parse(requests[0]?.body ?? '')).toMatchObject({ model: 'gpt-4o-mini', temperature: 0.5 });
    const refused = { ...declared, version: '2', policy: { model_allowlist: ['anthropic/*'] } };
    expect(await settled(await run(refused, { topic: 'tea' }))).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('blocked by policy'),
    });
  });

  it('has to be allowed like every other one', async () => {
    const { url } = await webServer((_request, response) => answerWith(response, 5));
    const { run, settled } = await openTestRuntime({ models: modelsAt(url), tools: writing('x').tools });
    const scorers = [judge, { ...judge, model: 'openai/o3' }];
    const allowing = (...model_allowlist: string[]) => ({ ...scored({ scorers }), policy: { model_allowlist } });
    const some = await settled(await run(allowing('openai/gpt-4o'), { topic: 'tea' }));
    expect(some.error).toContain('blocked by policy: openai/o3');
    expect((await settled(await run(allowing('openai/gpt-4o', 'openai/o3'), { topic: 'tea' }))).status).toBe('completed');
  });

  it('counts against the budget of the execution also when the work does not pass', async () => {
    const { url } = await webServer((_request, response) => answerWith(response, 1));
    for (const on_fail of ['halt', 'escalate', 'log_and_continue']) {
      const { run, settled, timeline } = await openTestRuntime({ models: modelsAt(url), tools: writing('x').tools });
      const id = await run({ ...scored({ scorers: [judge], on_fail }), token_budget: { total_tokens: 500 } }, { topic: 'tea' });
      expect((await settled(id)).status).toBe('failed');
      expect(await timeline(id)).toContain('token_budget_exceeded score');
    }
  });
});

describe('a workflow with an eval node', () => {
  it.each<[string, JsonObject, string]>([
    ['a check that cannot be read', { scorers: [{ type: 'assertion', checks: ['is it polite?'] }] }, 'cannot be read'],
    [
      'a check with an unknown function',
      { scorers: [{ type: 'assertion', checks: ['sentiment(output) > 1'] }] },
      '"sentiment", which does not exist',
    ],
    ['no scorers', { scorers: [] }, 'must list at least one scorer'],
    ['an unknown scorer', { scorers: [{ type: 'vibes' }] }, 'must be one of "llm_judge"'],
    ['a judge without a model', { scorers: [{ type: 'llm_judge', rubric: 'Is it good?' }] }, 'model is required'],
    ['a score that no judge gives', { scorers: [{ ...judge, min_score: 7 }] }, 'must be at most 5'],
    ['an unknown action', { scorers: [judge], on_fail: 'shrug' }, 'on_fail must be one of "halt"'],
  ])('is refused for %s', async (_what, kind, message) => {
    const { runtime } = await openTestRuntime({ tools: writing('x').tools });
    await expect(runtime.register(CALLER, scored(kind))).rejects.toThrow(message);
  });
});
