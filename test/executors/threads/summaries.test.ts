import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { validate } from '../../../machines/validate/index.ts';
import type { Tools } from '../../../src/runtime/types/work.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, crashCopy, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';
import { AGENT, document, MODEL, provider, said, talk, texts } from './chats.ts';

const SUMMARISED = { ...MODEL, max_messages: 4, summarise: { model: 'gpt-4o-mini', keep: 2 } };

/** Is the model asked for a summary? */
const isSummary = (messages: readonly JsonObject[]) => String(messages[0]?.content).startsWith('You summarise');

/** Answers `a1`, `a2` … to users, and `s1`, `s2` … when it is asked for a summary. */
async function summariser(answer = (summary: number): string => `s${summary}`) {
  let [answers, summaries] = [0, 0];
  const { models, asked } = await provider((messages) => (isSummary(messages) ? answer(++summaries) : `a${++answers}`));
  return {
    models,
    prompts: () => asked.filter(({ messages }) => !isSummary(messages)).map(({ messages }) => texts(messages)),
    summarised: () => asked.filter(({ messages }) => isSummary(messages)).map(({ messages }) => String(messages[1]?.content)),
  };
}

const summaryOf = async (it: TestRuntime, id = 'ann') => {
  const { summary, summarisedSequence } = await it.runtime.threads.get('default', id);
  return [summary, summarisedSequence];
};

describe('a thread that is summarised', () => {
  it('gives the model a summary and the last messages once it is longer than max_messages', async () => {
    const { models, prompts, summarised } = await summariser();
    const it = await openTestRuntime({ models });
    for (const words of ['q1', 'q2', 'q3', 'q4', 'q5']) await talk(it, words, { ...SUMMARISED, system_prompt: 'Be kind.' });
    const summary = (text: string) => `user: Summary of the conversation so far:\n\n${text}`;
    expect(prompts()).toEqual([
      ['system: Be kind.', 'user: q1'],
      ['system: Be kind.', 'user: q1', 'assistant: a1', 'user: q2'],
      ['system: Be kind.', 'user: q1', 'assistant: a1', 'user: q2', 'assistant: a2', 'user: q3'],
      ['system: Be kind.', summary('s1'), 'user: q3', 'assistant: a3', 'user: q4'],
      ['system: Be kind.', summary('s1'), 'user: q3', 'assistant: a3', 'user: q4', 'assistant: a4', 'user: q5'],
    ]);
    expect(summarised()).toEqual(['The conversation:\n\nuser: q1\n\nassistant: a1\n\nuser: q2\n\nassistant: a2']);
    await talk(it, 'q6', SUMMARISED);
    expect(summarised()[1]).toBe(
      'The summary of what came before, which yours replaces:\n\ns1\n\nThe conversation since then:\n\nuser: q3\n\nassistant: a3\n\nuser: q4\n\nassistant: a4',
    );
    expect(await summaryOf(it)).toEqual(['s2', 8]);
    expect(await said(it)).toHaveLength(12);
    expect((await replayAll(it.path)).differing).toEqual([]);
  });

  it('counts what the summary used, at the node that asked for it', async () => {
    const { models } = await summariser();
    const it = await openTestRuntime({ models });
    for (const words of ['q1', 'q2', 'q3']) await talk(it, words, SUMMARISED);
    const { id } = await talk(it, 'q4', SUMMARISED);
    const used = (await it.log(id)).filter(({ type }) => type === 'usage_recorded');
    expect(used).toMatchObject([{ nodeId: 'talk', data: { input_tokens: 1000, activation: 1, attempt: 0 } }]);
    const usage = (await it.runtime.execution('default', id)).usage;
    expect(usage?.input_tokens).toBe(2000);
  });

  it('stops the execution whose budget the summary exceeds, before the turn', async () => {
    const { models, prompts } = await summariser();
    const it = await openTestRuntime({ models });
    for (const words of ['q1', 'q2', 'q3']) await talk(it, words, SUMMARISED);
    const id = await it.run(document(SUMMARISED, { token_budget: { input_tokens: 500 } }), { said: 'q4', customer: 'ann' });
    const { status, error } = await it.settled(id);
    expect([status, error]).toEqual(['failed', expect.stringContaining('budget')]);
    expect(prompts()).toHaveLength(3);
    expect(await said(it)).toHaveLength(6);
  });

  it('is not summarised again when the call after that fails', async () => {
    let fails = true;
    const { models, asked } = await provider((messages, n) => {
      if (isSummary(messages)) return 'short';
      return fails && n > 3 ? 'no JSON' : '{"ok":true}';
    });
    const it = await openTestRuntime({ models });
    const kind = { ...SUMMARISED, output_schema: { type: 'object', required: ['ok'] } };
    for (const words of ['q1', 'q2', 'q3']) await talk(it, words, kind);
    const failed = await talk(it, 'q4', kind);
    expect(failed.status).toBe('failed');
    expect(await summaryOf(it)).toEqual(['short', 4]);
    expect(await said(it)).toHaveLength(6);
    fails = false;
    await it.runtime.retry(CALLER, failed.id);
    expect((await it.settled(failed.id)).status).toBe('completed');
    expect(asked.filter(({ messages }) => isSummary(messages))).toHaveLength(1);
  });

  it.each([
    ['', 'the model answered with no text'],
    ['x'.repeat(70_000), 'the summary is larger than 64 KiB'],
  ])('fails the node, which has used something, for a summary that is none', async (text, error) => {
    const { models } = await summariser(() => text);
    const it = await openTestRuntime({ models });
    for (const words of ['q1', 'q2', 'q3']) await talk(it, words, SUMMARISED);
    const { id, status } = await talk(it, 'q4', SUMMARISED);
    expect(status).toBe('failed');
    const failed = (await it.log(id)).find(({ type }) => type === 'node_failed');
    expect(failed?.data).toMatchObject({ error: `summarise: ${error}`, error_class: 'invalid_answer', input_tokens: 1000 });
    expect(await summaryOf(it)).toEqual([null, 0]);
  });

  it('summarises what requests have added in parts that a model can take', async () => {
    const { models, summarised, prompts } = await summariser();
    const it = await openTestRuntime({ models });
    const long = (i: number) => ({
      role: i % 2 === 0 ? ('user' as const) : ('assistant' as const),
      content: `${i}${'x'.repeat(100_000)}`,
    });
    await it.runtime.threads.append(CALLER, 'ann', [0, 1, 2, 3, 4, 5].map(long));
    await talk(it, 'q', SUMMARISED);
    expect(summarised()).toHaveLength(1);
    expect(await summaryOf(it)).toEqual(['s1', 2]);
    expect(prompts()[0]).toHaveLength(6);
    await talk(it, 'q', { ...SUMMARISED, max_messages: 2, summarise: { model: 'gpt-4o-mini', keep: 1 } });
    expect(summarised()).toHaveLength(3);
    expect(await summaryOf(it)).toEqual(['s3', 7]);
  });

  it('never begins with the result of a tool whose call is summarised', async () => {
    const tools: Tools = { lookup: () => ({ paid: true }) };
    const { models, asked } = await provider((messages) => {
      if (isSummary(messages)) return 'short';
      return messages.at(-1)?.role === 'user' ? [['lookup', { order: 7 }]] : 'paid';
    });
    const it = await openTestRuntime({ models, tools });
    const kind = { ...AGENT, max_messages: 3, summarise: { model: 'gpt-4o-mini', keep: 2 } };
    await talk(it, 'Is it paid?', kind);
    await talk(it, 'Sure?', kind);
    const summaries = asked.filter(({ messages }) => isSummary(messages));
    expect(summaries.map(({ messages }) => messages[1]?.content)).toEqual([
      'The conversation:\n\nuser: Is it paid?\n\nassistant: \n(calls lookup with {"order":7})\n\ntool lookup: {"paid":true}',
    ]);
    expect(texts(asked.at(-1)?.messages).slice(0, 3)).toEqual([
      'user: Summary of the conversation so far:\n\nshort',
      'assistant: paid',
      'user: Sure?',
    ]);
  });

  it('has no personal data in its summary', async () => {
    const { models } = await summariser(() => 'Ann writes from ann@example.org');
    const it = await openTestRuntime({ models });
    const policy = { data_policy: { pii_detectors: ['email'] } };
    for (const words of ['q1', 'q2', 'q3', 'q4'])
      await it.settled(await it.run(document(SUMMARISED, policy), { said: words, customer: 'ann' }));
    expect(await summaryOf(it)).toEqual(['Ann writes from [REDACTED]', 4]);
  });

  it('loses no message and repeats none, wherever the process ends', async () => {
    const { models } = await summariser();
    const it = await openTestRuntime({ models });
    const copies: string[] = [];
    const retried = document(SUMMARISED, { nodes: { talk: { kind: SUMMARISED, retry_policy: { max_attempts: 3 } } } });
    const spoken = async (words: string) => it.settled(await it.run(retried, { said: words, customer: 'ann' }));
    for (const words of ['q1', 'q2', 'q3']) await spoken(words);
    it.runtime.onCommit(() => copies.push(crashCopy(it.path)));
    await spoken('q4');
    expect(
      (await it.log((await it.runtime.executions('default', { limit: 1 })).executions[0]?.executionId ?? '')).map(
        ({ type }) => type,
      ),
    ).toContain('usage_recorded');
    expect(copies.length).toBeGreaterThan(2);
    for (const path of copies) {
      const again = await openTestRuntime({ models, path });
      const executions = async () => (await again.runtime.executions('default', { limit: 9 })).executions;
      await eventually(async () => {
        again.clock.advance(1_000);
        return (await executions()).every(({ status }) => status === 'completed' || status === 'failed');
      });
      expect((await executions()).map(({ status }) => status)).toEqual(['completed', 'completed', 'completed', 'completed']);
      expect((await said(again)).map((line) => line.replace(/a\d+$/, ''))).toEqual(
        ['q1', 'q2', 'q3', 'q4'].flatMap((words, i) => [`${2 * i + 1} user: ${words}`, `${2 * i + 2} assistant: `]),
      );
      expect((await summaryOf(again))[1]).toBe(4);
      expect((await replayAll(path)).differing).toEqual([]);
      await again.close();
    }
  });
});

describe('summarise in a document', () => {
  const problemsOf = (kind: JsonObject) => validate(document(kind)).diagnostics.map(({ code, path }) => [code, path]);

  it('needs a thread, a model and fewer messages to keep than max_messages', () => {
    const { thread: _thread, ...alone } = SUMMARISED;
    expect(problemsOf(SUMMARISED)).toEqual([]);
    expect(problemsOf(alone)).toEqual([
      ['no_thread', 'nodes.talk.max_messages'],
      ['no_thread', 'nodes.talk.summarise'],
    ]);
    expect(problemsOf({ ...SUMMARISED, max_messages: 2 })).toEqual([['out_of_range', 'nodes.talk.summarise.keep']]);
    expect(problemsOf({ ...MODEL, summarise: { model: 'm', keep: 100 } })).toEqual([
      ['out_of_range', 'nodes.talk.summarise.keep'],
    ]);
    expect(problemsOf({ ...MODEL, summarise: { keep: 0 } })).toEqual([
      ['missing_key', 'nodes.talk.kind.summarise.model'],
      ['wrong_type', 'nodes.talk.kind.summarise.keep'],
    ]);
  });

  it('is a model of the workflow for policies, and may be one that the workflow declares', async () => {
    const models = {
      large: { provider: 'openai', model: 'gpt-4o', timeout_secs: 7 },
      small: { provider: 'openai', model: 'gpt-4o-mini', temperature: 0 },
    };
    const kind = { ...SUMMARISED, model: 'large', summarise: { model: 'small', keep: 2 } };
    const { workflow } = validate(document(kind, { models, nodes: { talk: { kind } } }));
    expect(workflow?.nodes[0]).toMatchObject({
      timeout_secs: 7,
      kind: {
        declared: { provider: 'openai', model: 'gpt-4o' },
        summarise: { keep: 2, declared: { provider: 'openai', model: 'gpt-4o-mini', temperature: 0 } },
      },
    });
    const { models: settings } = await summariser();
    const it = await openTestRuntime({ models: settings });
    const id = await it.run(document(SUMMARISED, { policy: { model_allowlist: ['gpt-4o'] } }), { said: 'x', customer: 'ann' });
    expect((await it.log(id)).find(({ type }) => type === 'policy_violation')?.data).toMatchObject({ rule: 'gpt-4o-mini' });
  });
});
