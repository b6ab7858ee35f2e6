import { describe, expect, it } from 'vitest';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { type Coordinator, coordinator as definition } from '../../../machines/nodes/coordinator.ts';
import type { AgentDirectory, AgentOutcomes, RegisteredAgent } from '../../../src/executors/a2a/directory.ts';
import { coordinatorExecutor } from '../../../src/executors/coordinator/index.ts';
import type { ModelSettings } from '../../../src/executors/model/settings.ts';
import { chatAnswer, reply } from '../model/asking.ts';
import { webServer } from '../web-server.ts';
import { contextWith, failure, workWith } from '../work.ts';

function kindOf(more: JsonObject = {}): Coordinator {
  const kind = { type: 'coordinator', task: 't', required_skills: ['write'], output_key: 'writer', ...more };
  const [node] = normalise({ workflow_id: 'w', version: '1', nodes: { n: { kind } } }).workflow.nodes;
  return node?.kind as Coordinator;
}

function agent(id: string, skills: readonly string[], more: JsonObject = {}): RegisteredAgent {
  const uri = `https://${id}.example.com`;
  const capabilities = { skills: skills.map((name) => ({ id: name, name })), protocols: ['a2a'] };
  return { id, name: id.toUpperCase(), uri, status: 'active', card: { id, uri, capabilities, labels: {}, ...more } };
}

interface Setting {
  readonly agents?: readonly RegisteredAgent[];
  readonly outcomes?: Readonly<Record<string, AgentOutcomes>>;
  readonly settings?: ModelSettings;
  readonly bridgeUrl?: string;
}

/** Runs the node, and returns its result with what it has logged. */
function coordinating({ agents = [], outcomes = {}, settings = {}, bridgeUrl }: Setting) {
  const directory: AgentDirectory = {
    find: async () => null,
    search: async (_tenantId, { skill }) =>
      agents.filter(({ card }) => skill === undefined || JSON.stringify(card).includes(`"${skill}"`)),
    outcomes: async () => new Map(Object.entries(outcomes)),
  };
  const logged: (readonly [string, JsonObject])[] = [];
  const models = { settings, allowlistOf: async () => [] };
  const run = (kind: Coordinator, input: Json = { task: 'Write about tea' }, progress = {}) =>
    coordinatorExecutor(kind, { directory, models, bridgeUrl })(
      { ...workWith(input), progress },
      contextWith(),
      undefined,
      async (event, data) => {
        logged.push([event, data]);
      },
    );
  return { run, logged };
}

const dataOf = (logged: readonly (readonly [string, JsonObject])[], type: string) =>
  logged.find(([event]) => event === type)?.[1];

describe('a coordinator', () => {
  it('selects the only agent that can do the task, and logs what it found, scored and decided', async () => {
    const agents = [agent('a', ['write', 'Research']), agent('b', ['write'], { labels: { trust_domain: 'other' } })];
    const { run, logged } = coordinating({
      agents: [
        { ...agents[0], card: { ...agents[0]?.card, labels: { trust_domain: 'acme' } } } as RegisteredAgent,
        agents[1] as RegisteredAgent,
      ],
    });
    const kind = kindOf({ preferred_skills: ['research'], trust_domain: 'ACME' });
    expect(await run(kind)).toEqual({
      output: {
        selected: 'https://a.example.com',
        agent_id: 'a',
        name: 'A',
        method: 'single_candidate',
        confidence: 1,
        reasoning: 'it is the only agent that can do the task',
      },
      patch: { writer: 'https://a.example.com' },
    });
    expect(logged.map(([event]) => event)).toEqual(['coordinator_discovery', 'coordinator_scoring', 'coordinator_decision']);
    expect(dataOf(logged, 'coordinator_discovery')).toMatchObject({
      query_skills: ['write'],
      query_trust_domain: 'ACME',
      candidates: [{ uri: 'https://a.example.com', skills: ['write', 'Research'], trust_domain: 'acme' }],
      filtered_out: [{ uri: 'https://b.example.com', reason: 'is of trust domain other' }],
    });
    expect(dataOf(logged, 'coordinator_scoring')).toMatchObject({ rankings: [{ scores: { capability_fit: 1 } }], spread: 1 });
    expect(dataOf(logged, 'coordinator_decision')).toMatchObject({ selected: 'https://a.example.com', tiebreaker_tokens: null });
  });

  it('prefers what is cheap, fast, skilled and reliable, as the weights say', async () => {
    const agents = [
      agent('cheap', ['write'], { cost_class: 'free', latency_class: 'slow' }),
      agent('quick', ['write'], { cost_class: 'high', latency_class: 'realtime' }),
      agent('skilled', ['write', 'research']),
    ];
    const best = async (weights: JsonObject, outcomes = {}) => {
      const others = { capability_fit: 0, cost_fit: 0, latency_fit: 0, trust_compatibility: 0, historical_performance: 0 };
      const { run } = coordinating({ agents, outcomes });
      const { output } = await run(kindOf({ preferred_skills: ['research'], weights: { ...others, ...weights } }));
      return (output as JsonObject).agent_id;
    };
    expect(await best({ cost_fit: 1 })).toBe('cheap');
    expect(await best({ latency_fit: 1 })).toBe('quick');
    expect(await best({ capability_fit: 1 })).toBe('skilled');
    const outcomes = {
      'https://cheap.example.com': { calls: 20, failures: 0, meanMs: 100 },
      'https://quick.example.com': { calls: 20, failures: 18, meanMs: 90_000 },
    };
    expect(await best({ historical_performance: 1 }, outcomes)).toBe('cheap');
    expect(await best({ latency_fit: 1 }, outcomes)).toBe('cheap');
  });

  it('leaves out agents over the budget, by what they say or by what was measured', async () => {
    const agents = [
      agent('dear', ['write'], { cost_class: 'high' }),
      agent('slow', ['write'], { latency_class: 'fast' }),
      agent('c', ['write']),
    ];
    const outcomes = { 'https://slow.example.com': { calls: 9, failures: 0, meanMs: 8_000 } };
    const { run, logged } = coordinating({ agents, outcomes });
    await run(kindOf({ budget: { max_cost_usd: 0.5, max_latency_ms: 5_000 } }));
    expect(dataOf(logged, 'coordinator_discovery')?.filtered_out).toEqual([
      { uri: 'https://dear.example.com', reason: 'costs about 1 USD' },
      { uri: 'https://slow.example.com', reason: 'takes about 8000 ms' },
    ]);
  });

  it('fails when no agent can do the task, which is logged', async () => {
    const { run, logged } = coordinating({ agents: [agent('a', ['write'])] });
    expect(await failure(run(kindOf({ required_skills: ['write', 'sing'] })))).toMatchObject({
      message:
        'no registered agent with the skills write, sing can do the task; 1 left out, such as https://a.example.com, which lacks sing',
      retryable: false,
      errorClass: 'no_agent',
    });
    expect(dataOf(logged, 'coordinator_decision')).toMatchObject({ selected: null, method: 'no_candidates' });
  });

  describe('with a tiebreaker', () => {
    const agents = [
      agent('a', ['write']),
      agent('b', ['write']),
      agent('c', ['write']),
      agent('d', ['write'], { cost_class: 'high' }),
    ];
    const tied = (more: JsonObject = {}) => kindOf({ tiebreaker: { model: 'gpt-4o', ...more } });
    const answered = async (answer: JsonObject | string) => {
      const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
      const server = await webServer((_request, response) => reply(response, chatAnswer({ content: text })));
      const settings = { providers: { openai: { apiKey: 'sk', baseUrl: server.url } } };
      return { ...coordinating({ agents, settings }), requests: server.requests };
    };

    it('asks the model to choose among the best, and counts what it costs', async () => {
      const { run, logged, requests } = await answered({
        selected: 'https://b.example.com',
        reason: 'it knows tea',
        confidence: 0.7,
      });
      const { output, patch, usage } = await run(tied(), { task: 'Write about tea', input_mapping: { style: 'short' } });
      expect(output).toMatchObject({
        selected: 'https://b.example.com',
        agent_id: 'b',
        method: 'llm_tiebreaker',
        confidence: 0.7,
      });
      expect([patch, usage]).toMatchObject([{ writer: 'https://b.example.com' }, { input_tokens: 1000, output_tokens: 100 }]);
      expect(dataOf(logged, 'coordinator_decision')).toMatchObject({
        reasoning: 'it knows tea',
        tiebreaker_tokens: { input: 1000, output: 100 },
        tiebreaker_cost: expect.any(Number),
        rejected: [{ uri: 'https://a.example.com' }, { uri: 'https://c.example.com' }, { uri: 'https://d.example.com' }],
      });
      expect(requests[0]?.body).toContain('Write about tea');
      expect(requests[0]?.body).toContain('short');
      expect(requests[0]?.body).not.toContain('d.example.com');
    });

    it('does not ask when one is clearly the best', async () => {
      const { run, logged, requests } = await answered('');
      await run(tied({ threshold: 0 }), undefined, {});
      expect(requests).toHaveLength(1);
      const { run: runClear, logged: clear } = coordinating({ agents: agents.slice(2) });
      await runClear(kindOf({ tiebreaker: { model: 'gpt-4o', threshold: 0.05 } }));
      expect(dataOf(clear, 'coordinator_decision')).toMatchObject({ selected: 'https://c.example.com', method: 'structured' });
      expect(dataOf(logged, 'coordinator_decision')).toMatchObject({ method: 'tiebreaker_failed' });
    });

    it.each([
      ['names none of the agents', { selected: 'https://evil.example.com', reason: '', confidence: 1 }],
      ['is no JSON', 'the first one'],
    ])('takes the best by score when the answer %s, and counts what it cost', async (_what, answer) => {
      const { run, logged } = await answered(answer);
      const { usage } = await run(tied());
      expect(usage).toMatchObject({ input_tokens: 1000 });
      expect(dataOf(logged, 'coordinator_decision')).toMatchObject({
        selected: 'https://a.example.com',
        method: 'tiebreaker_failed',
        reasoning: expect.stringContaining('the tiebreaker failed: '),
      });
    });

    it('takes the best by score when the model cannot be asked', async () => {
      const { run, logged } = coordinating({ agents });
      await run(tied());
      expect(dataOf(logged, 'coordinator_decision')).toMatchObject({
        method: 'tiebreaker_failed',
        reasoning: expect.stringContaining('OPENAI_API_KEY'),
      });
    });
  });

  describe('with a coordinator server', () => {
    const ANSWERS: Readonly<Record<string, JsonObject>> = {
      discover: {
        candidates: [
          {
            uri: 'https://x.example.com',
            agent_card: { id: 'x', name: 'X' },
            skills: ['write'],
            latency_class: 'fast',
            cost_class: 'low',
          },
          { uri: 'https://y.example.com', skills: ['write'] },
        ],
        filtered_out: [{ uri: 'https://z.example.com', reason: 'too slow' }],
      },
      score: {
        rankings: [
          { uri: 'https://y.example.com', scores: { cost_fit: 0.9 }, composite: 0.9 },
          { uri: 'https://x.example.com', scores: { cost_fit: 0.2 }, composite: 0.2 },
        ],
        spread: 0.7,
      },
      decide: {
        selected_uri: 'https://y.example.com',
        method: 'structured',
        reasoning: 'cheaper',
        confidence: 0.9,
        rejected: [{ uri: 'https://x.example.com', reason: 'dear' }],
        tiebreaker_tokens: null,
        tiebreaker_cost: null,
      },
    };
    const bridge = (answers: Readonly<Record<string, JsonObject>> = {}, status = 200) =>
      webServer(({ url }, response) => {
        const step = url?.split('/').at(-1) ?? '';
        reply(response, answers[step] ?? ANSWERS[step] ?? {}, status);
      });

    it('lets the server discover, score and decide', async () => {
      const server = await bridge();
      const { run, logged } = coordinating({ bridgeUrl: `${server.url}/` });
      const kind = kindOf({ strategy: 'auction', tiebreaker: { model: 'gpt-4o', max_candidates: 2 } });
      expect(await run(kind, { task: 'Write', input_mapping: { style: 'short' } })).toMatchObject({
        output: { selected: 'https://y.example.com', method: 'structured', reasoning: 'cheaper', confidence: 0.9 },
        patch: { writer: 'https://y.example.com' },
      });
      expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
        'POST /coordinator/discover',
        'POST /coordinator/score',
        'POST /coordinator/decide',
      ]);
      const [discover, , decide] = server.requests.map(({ body }) => JSON.parse(body));
      expect(discover).toMatchObject({
        task: 'Write',
        required_skills: ['write'],
        preferred_skills: [],
        trust_domain: null,
        strategy_name: 'auction',
        context: { style: 'short' },
      });
      expect(decide).toMatchObject({
        threshold: 0.1,
        tiebreaker_model: 'gpt-4o',
        top_candidates: [{ composite: 0.9 }, { composite: 0.2 }],
      });
      expect(dataOf(logged, 'coordinator_discovery')).toMatchObject({
        candidates: [{ agent_id: 'x', name: 'X' }, { name: 'https://y.example.com' }],
        filtered_out: [{ reason: 'too slow' }],
      });
      expect(dataOf(logged, 'coordinator_scoring')).toMatchObject({
        spread: 0.7,
        rankings: [{ scores: { cost_fit: 0.9, latency_fit: 0 } }, {}],
      });
    });

    it.each([
      [{ discover: { candidates: 'none' } }, 'candidates must be a list of objects with a uri', true],
      [{ score: { rankings: [{ uri: 'a' }] } }, 'rankings must have a composite score', true],
      [{ decide: { selected_uri: 'https://elsewhere.example.com' } }, 'the coordinator has selected no agent', true],
      [{ discover: { candidates: [] } }, 'no registered agent with the skills write can do the task', false],
    ])('fails an attempt by %j', async (answers, message, retryable) => {
      const server = await bridge(answers as never);
      const failed = await failure(coordinating({ bridgeUrl: server.url }).run(kindOf()));
      expect(failed).toMatchObject({ message: expect.stringContaining(message), retryable });
    });

    it.each([
      [500, 'server_error', true],
      [429, 'rate_limit', true],
      [400, 'client_error', false],
    ])('fails an attempt by status %i', async (status, errorClass, retryable) => {
      const server = await bridge({ discover: { error: 'no' } }, status);
      expect(await failure(coordinating({ bridgeUrl: server.url }).run(kindOf()))).toMatchObject({
        message: `the coordinator server answered discover with ${status}: no`,
        errorClass,
        retryable,
      });
    });

    it('cuts off a server that floods', async () => {
      const server = await webServer((_request, response) => {
        const flood = (): void => {
          while (response.write('x'.repeat(65_536)));
        };
        response.on('drain', flood);
        flood();
      });
      expect(await failure(coordinating({ bridgeUrl: server.url }).run(kindOf()))).toMatchObject({
        errorClass: 'response_too_large',
      });
    });
  });

  it('keeps the decision that an earlier attempt has logged', async () => {
    const { run, logged } = coordinating({ agents: [agent('b', ['write'])] });
    const progress = {
      coordinator_discovery: { candidates: [{ uri: 'https://a.example.com', agent_id: 'a', name: 'A' }] },
      coordinator_decision: { selected: 'https://a.example.com', method: 'llm_tiebreaker', reasoning: 'r', confidence: 0.8 },
    };
    expect(await run(kindOf(), { task: 't' }, progress)).toEqual({
      output: {
        selected: 'https://a.example.com',
        agent_id: 'a',
        name: 'A',
        method: 'llm_tiebreaker',
        confidence: 0.8,
        reasoning: 'r',
      },
      patch: { writer: 'https://a.example.com' },
    });
    expect(logged).toEqual([]);
  });

  it('takes the best by score when scores are close and there is no tiebreaker', async () => {
    const { run, logged } = coordinating({ agents: [agent('b', ['write']), agent('a', ['write'])] });
    await run(kindOf());
    expect(dataOf(logged, 'coordinator_decision')).toMatchObject({
      selected: 'https://a.example.com',
      method: 'below_threshold',
      rejected: [{ uri: 'https://b.example.com' }],
    });
  });

  it.each([
    [{ task: null }, 'task must give a text, not null'],
    [{ task: '' }, 'task must give a text, not an empty one'],
  ])('fails for good by %j', async (input, message) => {
    expect(await failure(coordinating({}).run(kindOf(), input))).toMatchObject({ message, retryable: false });
  });

  it('needs a coordinator server for strategies other than its own', async () => {
    expect(await failure(coordinating({}).run(kindOf({ strategy: 'auction' })))).toMatchObject({
      message: expect.stringContaining('set JAMJET_COORDINATOR_URL'),
      retryable: false,
    });
  });

  it('is read in every spelling of its fields', () => {
    const ones = { capability_fit: 1, cost_fit: 1, latency_fit: 1, trust_compatibility: 1, historical_performance: 1 };
    expect(kindOf({ weights: {} }).weights).toEqual(ones);
    expect(kindOf({ weights: { cost_fit: 3 } }).weights).toEqual({ ...ones, cost_fit: 3 });
    expect(kindOf({ tiebreaker: { model: 'gpt-4o' } }).tiebreaker).toEqual({
      model: 'gpt-4o',
      threshold: 0.1,
      max_candidates: 3,
    });
    expect(() => kindOf({ weights: Object.fromEntries(Object.keys(ones).map((name) => [name, 0])) })).toThrow(
      'must not all be 0',
    );
    expect(definition.models(kindOf({ tiebreaker: { model: 'gpt-4o' } }))).toEqual(['gpt-4o', 'openai/gpt-4o']);
  });
});
