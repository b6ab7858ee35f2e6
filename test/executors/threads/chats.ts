import type { JsonObject } from '../../../machines/json.ts';
import type { TestRuntime } from '../../support/runtimes.ts';
import { chatAnswer, reply } from '../model/asking.ts';
import { webServer } from '../web-server.ts';

export interface Asked {
  readonly messages: readonly JsonObject[];
}

/** What a model answers: a text, or calls of tools, `[name, arguments]`; null = nothing, ever. */
type Answer = string | readonly (readonly [string, JsonObject])[] | null;

/** A provider of OpenAI's wire format. `answer` is given the messages of each request and its number, from 1. */
export async function provider(answer: (messages: readonly JsonObject[], request: number) => Answer | Promise<Answer>) {
  const asked: Asked[] = [];
  const server = await webServer(async (_request, response) => {
    const { messages } = JSON.parse(server.requests.at(-1)?.body ?? '') as Asked;
    const request = asked.push({ messages });
    const given = await answer(messages, request);
    if (given === null) return;
    if (typeof given === 'string') return reply(response, chatAnswer({ content: given }));
    const calls = given.map(([name, args], i) => ({
      id: `call_${request}_${i}`,
      type: 'function',
      function: { name, arguments: JSON.stringify(args) },
    }));
    return reply(response, chatAnswer({ tool_calls: calls }, 'tool_calls'));
  });
  return { models: { providers: { openai: { apiKey: 'sk-1', baseUrl: `${server.url}/v1` } } }, asked };
}

export const MODEL = {
  type: 'model',
  model: 'gpt-4o',
  thread: '{{ state.customer }}',
  prompt: '{{ state.said }}',
  output_key: 'answer',
};
export const AGENT = { ...MODEL, type: 'agent', tools: [{ name: 'lookup', description: 'Looks up.' }] };

export const document = (kind: JsonObject = MODEL, more: JsonObject = {}): JsonObject => ({
  workflow_id: 'chat',
  version: '1',
  nodes: { talk: { kind, retry_policy: 'no_retry' } },
  edges: [],
  ...more,
});

export const texts = (messages: readonly JsonObject[] = []) => messages.map(({ role, content }) => `${role}: ${content}`);

export async function said(it: TestRuntime, id = 'ann') {
  const { messages } = await it.runtime.threads.messages('default', id);
  return messages.map(({ sequence, role, content }) => `${sequence} ${role}: ${content}`);
}

export async function talk(it: TestRuntime, words: string, kind: JsonObject = MODEL, customer: unknown = 'ann') {
  const id = await it.run(document(kind), { said: words, customer } as JsonObject);
  return { id, ...(await it.settled(id)) };
}
