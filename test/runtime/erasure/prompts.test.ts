import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { chatAnswer, reply } from '../../executors/model/asking.ts';
import { webServer } from '../../executors/web-server.ts';
import { openTestRuntime } from '../../support/runtimes.ts';

const EMAIL = 'ann.smith@example.com';
const NAME = 'Ann Wilhelmina Smith';
const SECRETS = [EMAIL, NAME];
const data_policy = { pii_fields: ['$.name'], pii_detectors: ['email'] };

/** A provider that gives the answers one after the other, and the bodies of its requests. */
async function provider(...answers: readonly JsonObject[]) {
  const { url, requests } = await webServer((_request, response) => {
    const answer = answers[requests.length - 1] ?? {};
    reply(response, chatAnswer(answer, answer.tool_calls === undefined ? 'stop' : 'tool_calls'));
  });
  return {
    models: { providers: { openai: { apiKey: 'sk', baseUrl: url } } },
    asked: () => requests.map(({ body }) => body).join('\n'),
  };
}

function expectNoSecret(text: string): void {
  for (const secret of SECRETS) expect(text.includes(secret), secret).toBe(false);
}

const one = (kind: JsonObject, more: JsonObject = {}): JsonObject => ({
  workflow_id: 'w',
  version: '1',
  data_policy,
  nodes: { ask: { kind } },
  edges: [],
  ...more,
});

describe('what models are asked under a data policy', () => {
  it('has no personal data in messages, whatever their form', async () => {
    const { models, asked } = await provider({ content: 'fine' });
    const { run, settled } = await openTestRuntime({ models });
    const messages = [
      { role: 'user', content: `I am ${NAME}` },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', function: { name: 'mail', arguments: `{"to":"${EMAIL}"}` } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: [{ type: 'text', text: `sent to ${EMAIL}` }] },
    ];
    const id = await run(one({ type: 'model', model_ref: 'gpt-4o', prompt_ref: '', system_prompt: 'Mind {{ state.name }}' }), {
      name: NAME,
      messages,
    });
    expect((await settled(id)).status).toBe('completed');
    expectNoSecret(asked());
    expect(asked()).toContain('Mind [REDACTED]');
  });

  it('is in the log only if the policy retains prompts, and then redacted', async () => {
    const inputs: unknown[] = [];
    for (const policy of [data_policy, { ...data_policy, retain_prompts: true }]) {
      const { models } = await provider({ content: 'fine' });
      const { run, settled, log } = await openTestRuntime({ models });
      const kind = { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Greet {{ state.name }}' };
      const id = await run(one(kind, { data_policy: policy }), { name: NAME });
      await settled(id);
      const started = (await log(id)).find(({ type }) => type === 'node_started');
      inputs.push([started?.data.input, started?.data.input_omitted]);
    }
    expect(inputs).toEqual([
      [undefined, true],
      [{ prompt_ref: 'Greet [REDACTED]' }, undefined],
    ]);
  });

  it('has no personal data in the turns of an agent, whose tools work with all of it', async () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'lookup', arguments: '{"id":7}' } };
    const { models, asked } = await provider({ tool_calls: [call] }, { content: 'It is done.' });
    const seen: unknown[] = [];
    const { run, settled, runtime, errors } = await openTestRuntime({
      models,
      tools: {
        lookup(input) {
          seen.push(input);
          return { mail: EMAIL, name: NAME };
        },
        after: ({ mail }) => ({ ok: mail === EMAIL }),
      },
    });
    const agent = {
      type: 'agent',
      model_ref: 'gpt-4o',
      prompt: 'Help {{ state.name }}',
      tools: [{ name: 'lookup', parameters: {} }],
    };
    const id = await run(
      one(agent, {
        nodes: {
          ask: { kind: agent },
          after: { kind: { type: 'tool', tool_ref: 'after', input_mapping: { mail: '{{ state.mail }}' } } },
        },
        edges: [{ from: 'ask', to: 'after' }],
      }),
      { name: NAME, mail: EMAIL },
    );
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { ok: true, mail: '[REDACTED]' } });
    expect(seen).toMatchObject([{ id: 7 }]);
    expectNoSecret(asked());
    expect(asked()).toContain('Help [REDACTED]');
    expect(await runtime.replay('default', id)).toMatchObject({ redacted: true });
    expect(errors).toEqual([]);
  });

  it('has no personal data in what a judge scores, while assertions see all of it', async () => {
    const { models, asked } = await provider({ content: '{"score": 4, "reason": "polite"}' });
    const { run, settled } = await openTestRuntime({ models, tools: { write: () => `Dear ${NAME}, your address is ${EMAIL}` } });
    const scorers = [
      { type: 'llm_judge', model: 'gpt-4o', rubric: 'Is it polite to {{ state.name }}?' },
      { type: 'assertion', check: `'${EMAIL}' in output` },
    ];
    const id = await run(
      one(
        {},
        {
          nodes: {
            write: { kind: { type: 'tool', tool_ref: 'write', output_key: 'text' } },
            score: { kind: { type: 'eval', scorers } },
          },
          edges: [{ from: 'write', to: 'score' }],
        },
      ),
      { name: NAME },
    );
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { eval_passed: true } });
    expectNoSecret(asked());
    expect(asked()).toContain('Is it polite to [REDACTED]?');
  });
});
