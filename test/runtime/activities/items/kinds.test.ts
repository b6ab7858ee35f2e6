import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import { a2aAgent } from '../../../executors/a2a/agent-server.ts';
import { mcpHttpServer } from '../../../executors/mcp/http-server.ts';
import { chatAnswer, reply } from '../../../executors/model/asking.ts';
import { webServer } from '../../../executors/web-server.ts';
import { replayAll } from '../../../support/replay-all.ts';
import { CALLER, eventually, openTestRuntime } from '../../../support/runtimes.ts';

type Options = NonNullable<Parameters<typeof openTestRuntime>[0]>;

/** The work of an item, and what it needs. */
interface Kind {
  readonly work: JsonObject;
  readonly options?: Options;
  readonly document?: JsonObject;
}

const WORDS = ['tea', 'milk', 'salt'];
const SHOUTED = ['TEA', 'MILK', 'SALT'];
const TWICE = { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false, retryable_on: [] };

function document({ work, document: more = {} }: Kind, map: JsonObject = {}, node: JsonObject = {}): JsonObject {
  const kind = { type: 'map', items: 'state.words', as: 'word', do: work, output_key: 'said', ...map };
  return { workflow_id: 'map', version: '1', nodes: { m: { kind, retry_policy: 'no_retry', ...node } }, ...more };
}

/** A model that answers in capitals; `refuses` says what it answers instead, by the prompt. */
async function model(refuses: (prompt: string) => number | null = () => null): Promise<Options & { readonly asked: string[] }> {
  const asked: string[] = [];
  const { url, requests } = await webServer((_request, response) => {
    const { messages } = JSON.parse(requests.at(-1)?.body ?? '') as { messages: { content: string }[] };
    const prompt = String(messages.at(-1)?.content);
    asked.push(prompt);
    const status = refuses(prompt);
    if (status === null) reply(response, chatAnswer({ content: prompt.toUpperCase() }));
    else reply(response, { error: { message: 'no' } }, status);
  });
  return { asked, models: { providers: { openai: { apiKey: 'sk', baseUrl: url } } } };
}

const ASK = { type: 'model', model_ref: 'gpt-4o', prompt_ref: '{{ word }}' };

const IN_PROCESS: Readonly<Record<string, () => Promise<Kind & { readonly results?: Json }>>> = {
  model: async () => ({ work: ASK, options: await model() }),
  'an agent without tools': async () => ({
    work: { type: 'agent', model: 'gpt-4o', prompt: '{{ word }}' },
    options: await model(),
  }),
  http: async () => {
    const { url, requests } = await webServer((_request, response) => {
      const { word } = JSON.parse(requests.at(-1)?.body ?? '') as { word: string };
      reply(response, word.toUpperCase());
    });
    const work = { type: 'http', method: 'POST', url: `${url}/{{ index }}`, body: { word: '{{ word }}' }, output: '{{ body }}' };
    return { work, options: { allowPrivateAddresses: true } };
  },
  'a tool of an MCP server': async () => {
    const server = await mcpHttpServer('json-replies');
    return {
      work: { type: 'mcp_tool', server: 's', tool: 'say', input: { text: '{{ word | upper }}' } },
      options: { allowPrivateAddresses: true },
      document: { mcp_servers: { s: { transport: 'http_sse', url: server.url } } },
    };
  },
  'a task of a remote agent': async () => {
    const { url } = await a2aAgent({ version: '1.0' });
    return {
      work: { type: 'a2a_task', remote_agent: 'cook', input: { do: 'echo', word: '{{ word | upper }}' } },
      options: { allowPrivateAddresses: true },
      document: { remote_agents: { cook: { url } } },
      results: SHOUTED.map((word) => ({ do: 'echo', word })),
    };
  },
  'a remote agent as a tool': async () => {
    const { url } = await a2aAgent({ version: '1.0' });
    return {
      work: { type: 'agent_tool', agent: url, input: { do: 'echo', word: '{{ word | upper }}' } },
      options: { allowPrivateAddresses: true },
      results: SHOUTED.map((word) => ({ do: 'echo', word })),
    };
  },
};

describe('the items of a map are the work of', () => {
  it.each(Object.keys(IN_PROCESS))('%s', async (name) => {
    const kind = await IN_PROCESS[name]?.();
    if (kind === undefined) throw new Error(name);
    const opened = await openTestRuntime(kind.options);
    const id = await opened.run(document(kind), { words: WORDS });
    expect(await opened.settled(id)).toMatchObject({ status: 'completed', state: { said: kind.results ?? SHOUTED } });
    const completed = (await opened.log(id)).filter(({ type, data }) => type === 'node_completed' && data.item !== undefined);
    expect(completed.map(({ data }) => data.item).toSorted()).toEqual([0, 1, 2]);
    expect(opened.errors).toEqual([]);
    await opened.close();
    expect(await replayAll(opened.path)).toEqual({ compared: 1, differing: [] });
  });

  it.each([
    ['java_fn', 'java_tool', { class_name: 'Shouter', method: 'shout' }],
    ['python_fn', 'python_tool', { module: 'shouter', function: 'shout' }],
  ])('an external worker for %s', async (type, queue, named) => {
    const { run, runtime, settled } = await openTestRuntime();
    const id = await run(document({ work: { type, ...named, input: { word: '{{ word }}' } } }), { words: WORDS });
    const items = await runtime.claim(CALLER, { workerId: 'w', queueTypes: [queue], maxItems: 5 });
    expect(items.map(({ payload }) => payload.input)).toEqual(WORDS.map((word) => ({ word })));
    for (const { id: work, item, leaseFence } of items.toReversed())
      await runtime.complete(CALLER, work, { output: SHOUTED[item ?? -1] ?? null, leaseFence });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { said: SHOUTED } });
  });
});

describe('each item of a map', () => {
  it('has attempts of its own, and the others are not repeated', async () => {
    const { asked, ...options } = await model((prompt) =>
      prompt === 'milk' && asked.filter((one) => one === 'milk').length === 1 ? 500 : null,
    );
    const opened = await openTestRuntime(options);
    const more = { retry_policies: { twice: TWICE } };
    const id = await opened.run(document({ work: ASK, document: more }, {}, { retry_policy: 'twice' }), { words: WORDS });
    expect(await opened.settled(id)).toMatchObject({ status: 'completed', state: { said: SHOUTED } });
    expect(asked.toSorted()).toEqual(['milk', 'milk', 'salt', 'tea']);
    const failed = (await opened.log(id)).filter(({ type }) => type === 'node_failed');
    expect(failed.map(({ data }) => [data.item, data.attempt, data.http_status])).toEqual([[1, 0, 500]]);
  });

  it('has the time of an attempt for itself', async () => {
    const { url } = await webServer((request, response) => {
      if (request.url !== '/milk') reply(response, 'quick');
    });
    const opened = await openTestRuntime({ allowPrivateAddresses: true });
    const work = { type: 'http', url: `${url}/{{ word }}`, output: '{{ body }}' };
    const id = await opened.run(document({ work }, { on_item_error: 'collect' }, { timeout_secs: 3 }), { words: WORDS });
    await eventually(async () => (await opened.timeline(id)).filter((line) => line === 'node_completed m').length === 2);
    opened.clock.advance(3_000);
    const { status, state } = await opened.settled(id);
    expect([status, state.said]).toEqual(['completed', ['quick', { error: expect.stringContaining('timed out') }, 'quick']]);
  });

  it('is cancelled with the execution: its request is aborted, and others do not begin', async () => {
    let [open, aborted] = [0, 0];
    const { url } = await webServer((_request, response) => {
      open += 1;
      response.on('close', () => {
        aborted += 1;
      });
    });
    const opened = await openTestRuntime({ allowPrivateAddresses: true });
    const id = await opened.run(document({ work: { type: 'http', url } }, { max_concurrency: 2 }), { words: WORDS });
    await eventually(() => open === 2);
    await opened.runtime.cancel(CALLER, id, 'enough');
    await eventually(() => aborted === 2);
    expect((await opened.settled(id)).status).toBe('cancelled');
    const cancelled = (await opened.log(id)).filter(({ type }) => type === 'node_cancelled');
    expect(cancelled.map(({ data }) => data.item).filter((item) => item !== undefined)).toEqual([0, 1]);
    expect(open).toBe(2);
  });

  it('counts against the budget of the execution', async () => {
    const { asked, ...options } = await model();
    const opened = await openTestRuntime(options);
    const budget = { token_budget: { total_tokens: 2_500 } };
    const id = await opened.run(document({ work: ASK, document: budget }, { max_concurrency: 1 }), {
      words: [...WORDS, 'oil', 'rice'],
    });
    expect(await opened.settled(id)).toMatchObject({
      status: 'failed',
      error: 'token budget exceeded: 3300 of 2500 total_tokens',
    });
    expect(asked).toEqual(['tea', 'milk', 'salt']);
  });

  it('that a policy holds is asked about with its own input, and one may be rejected', async () => {
    const calls: string[] = [];
    const server = await mcpHttpServer('json-replies');
    const kind = { type: 'mcp_tool', server: 's', tool: 'say', input: { text: '{{ word }}' } };
    const opened = await openTestRuntime({ allowPrivateAddresses: true });
    const servers = { mcp_servers: { s: { transport: 'http_sse', url: server.url } } };
    const policy = { policy: { require_approval_for: ['say'] } };
    const id = await opened.run(document({ work: kind, document: servers }, { on_item_error: 'collect' }, policy), {
      words: WORDS,
    });
    const { pending } = await opened.runtime.approvals('default', id);
    expect(pending.map(({ item, input }) => [item, input])).toEqual(WORDS.map((text, item) => [item, { text }]));
    for (const item of [2, 0]) await opened.runtime.approve(CALLER, id, { decision: 'approved', nodeId: 'm', item });
    await opened.runtime.approve(CALLER, id, { decision: 'rejected', nodeId: 'm', item: 1, comment: 'no milk' });
    const { status, state } = await opened.settled(id);
    expect([status, state.said]).toEqual(['completed', ['tea', { error: expect.stringContaining('reject') }, 'salt']]);
    for (const { method, params } of server.bodies)
      if (method === 'tools/call') calls.push((params as { arguments: { text: string } }).arguments.text);
    expect(calls.toSorted()).toEqual(['salt', 'tea']);
  });
});

describe('the items of a map with a data policy', () => {
  const MAIL = 'ann.smith@example.com';
  const work = { type: 'tool', tool_ref: 'write', input: { to: '{{ word }}' } };
  const tools = { write: ({ to }: { to: string }) => ({ written: `to ${to}` }) };

  it.each([
    ['redacts them in the log and in the list', { pii_detectors: ['email'] }, [{ written: 'to [REDACTED]' }]],
    ['keeps no result', { retain_outputs: false, pii_detectors: ['email'] }, undefined],
  ] as const)('%s', async (_title, data_policy, said) => {
    const seen: unknown[] = [];
    const noted = { write: tools.write, note: (input: JsonObject) => void seen.push(input.said) };
    const opened = await openTestRuntime({ tools: noted as never });
    const { nodes, ...rest } = document({ work, document: { data_policy } }) as { readonly nodes: JsonObject };
    const after = { kind: { type: 'tool', tool_ref: 'note' } };
    const id = await opened.run({ ...rest, nodes: { ...nodes, after }, edges: [{ from: 'm', to: 'after' }] }, { words: [MAIL] });
    const { status, state } = await opened.settled(id);
    expect([status, state.said]).toEqual(['completed', said]);
    expect(seen).toEqual([[{ written: `to ${MAIL}` }]]);
    expect(JSON.stringify(await opened.log(id))).not.toContain(MAIL);
    await eventually(async () => (await opened.store.erasures.pending({ after: '', limit: 1 })).length === 0);
    expect((await opened.store.verifyAudit()).fault).toBeNull();
  });
});
