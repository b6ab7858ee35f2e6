import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { InvalidWorkflow } from '../../../machines/diagnostics.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { definitionOf, KIND_ALIASES, KIND_NAMES, KINDS, type Kind, workBehaviourOf } from '../../../machines/nodes/index.ts';
import { mergeFunction } from '../../../machines/nodes/join.ts';

/** The kind in normal form; keys in `beside` are on the node instead of in its kind. */
function read(kind: JsonObject, beside: JsonObject = {}): Kind {
  const [node] = normalise({ workflow_id: 'w', version: '1', nodes: { n: { kind, ...beside } } }).workflow.nodes;
  if (node === undefined) throw new Error('no node');
  return node.kind;
}

function errorOf(kind: JsonObject): string {
  try {
    read(kind);
  } catch (error) {
    if (error instanceof InvalidWorkflow) return error.message;
    throw error;
  }
  return '';
}

const samples: Readonly<Record<Kind['type'], JsonObject>> = {
  tool: { type: 'tool', tool_ref: 'shop.mail' },
  http: { type: 'http', url: 'http://localhost/{{ state.id }}' },
  model: { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Say {{ state.word }}' },
  agent: { type: 'agent', model_ref: 'gpt-4o', prompt: 'Help.' },
  mcp_tool: { type: 'mcp_tool', server: 'brave', tool: 'search' },
  a2a_task: { type: 'a2a_task', remote_agent: 'legal', skill: 'review' },
  coordinator: { type: 'coordinator', task: 'Write {{ state.topic }}', required_skills: ['write'], output_key: 'writer' },
  memory_retrieval: { type: 'memory_retrieval', connector_ref: 'handbook', query_expr: 'state.question' },
  agent_tool: { type: 'agent_tool', agent: 'https://legal.example.com', mode: { conversational: { max_turns: 3 } } },
  agent_discovery: { type: 'agent_discovery', skill: 'review', output_binding: 'found' },
  python_fn: { type: 'python_fn', module: 'flows.pay', function: 'big' },
  java_fn: { type: 'java_fn', class_name: 'com.acme.Pay', method: 'big' },
  condition: { type: 'condition', branches: [{ condition: 'state.x', target: 'a' }, { target: 'b' }] },
  parallel: { type: 'parallel', branches: ['a', 'b'], join: 'j' },
  join: { type: 'join', wait_for: ['a', 'b'] },
  human_approval: { type: 'human_approval', description: 'Ship?' },
  wait: { type: 'wait', correlation_key: 'paid' },
  subgraph: { type: 'subgraph', workflow_ref: 'child' },
  map: { type: 'map', items: 'state.customers', do: { type: 'tool', tool_ref: 'lookup' } },
  eval: { type: 'eval', scorers: [{ type: 'assertion', checks: ['output.ok'] }] },
  policy: { type: 'policy', policy_ref: 'tenant' },
  finalizer: { type: 'finalizer', tool_ref: 'lock.release' },
  limit_exceeded: { type: 'limit_exceeded' },
  durable_function: { type: 'durable_function', function_ref: 'onboarding' },
};

describe('every kind', () => {
  it.each(KIND_NAMES)('%s has a normal form that fits its schema and is stable', (name) => {
    const kind = read(samples[name]);
    expect(Value.Check(KINDS[name].schema, kind)).toBe(true);
    expect(definitionOf(kind).type).toBe(name);
    expect(read(kind as unknown as JsonObject)).toEqual(kind);
  });

  it('has a name that no alias has', () => {
    for (const alias of Object.keys(KIND_ALIASES)) expect(KIND_NAMES).not.toContain(alias);
    expect(errorOf({ type: 'teleport' })).toContain('kind "teleport" does not exist');
  });

  it.each(KIND_NAMES)('%s says how it behaves, and only work has a queue', (name) => {
    const kind = read(samples[name]);
    const work = workBehaviourOf(kind);
    expect(definitionOf(kind).queue(kind) !== null).toBe(work === 'work');
    if (work === 'work' || work === 'child') expect(definitionOf(kind).policyNames(kind)).not.toEqual([]);
  });

  it('reads extension keys beside it like those inside', () => {
    expect(read(samples.tool, { output_key: 'r', fallback_node: 'f' })).toEqual(
      read({ ...samples.tool, output_key: 'r', fallback: 'f' }),
    );
    expect(read({ ...samples.human_approval, on_rejected: null }, { on_rejected: 'r' })).toMatchObject({ on_rejected: 'r' });
    expect(read({ ...samples.tool, output_key: 'inside' }, { output_key: 'beside' })).toMatchObject({ output_key: 'inside' });
  });

  it('refuses an output key that is no name', () => {
    for (const output_key of ['__proto__', 'constructor', 'x'.repeat(257)])
      expect(errorOf({ ...samples.tool, output_key })).toContain('output_key');
  });
});

describe('agent', () => {
  it('is a task for a remote agent without a model', () => {
    expect(read({ type: 'agent' })).toEqual({ type: 'agent', agent_ref: 'n', skill: '', input_mapping: {}, stream: false });
    const kind = read({ type: 'agent', agent_ref: 'legal', skill: 'review', on_input_required: 'ask' });
    expect(read(kind as unknown as JsonObject)).toEqual(kind);
    expect(definitionOf(kind).policyNames(kind)).toEqual(['legal', 'legal.review', 'review']);
    expect(definitionOf(kind).models(kind)).toEqual([]);
  });

  it('is a model with one, whatever else it has', () => {
    expect(read({ type: 'agent', model: 'gpt-4o', agent_ref: 'legal' })).toMatchObject({ model_ref: 'gpt-4o' });
    expect(errorOf({ type: 'agent', prompt: 'Help.' })).toContain('model_ref is required');
  });
});

describe('agent_tool', () => {
  it.each([
    ['https://a.example.com', 'https://a.example.com'],
    [{ explicit: 'legal' }, 'legal'],
    [{ explicit: 'state.found.uri' }, '{{ state.found.uri }}'],
    ['auto', '{{ state["_selected_agent_n"] }}'],
  ])('calls %j', (agent, called) => {
    expect(read({ type: 'agent_tool', agent })).toMatchObject({ agent: called, mode: 'sync' });
  });

  it.each([
    ['conversational', { mode: 'conversational' }],
    [
      { conversational: { max_turns: 3, max_tokens_per_turn: 9 } },
      { mode: 'conversational', max_turns: 3, max_tokens_per_turn: 9 },
    ],
    [{ streaming: {} }, { mode: 'streaming' }],
  ])('works in the mode %j', (mode, normal) => {
    expect(read({ type: 'agent_tool', agent: 'a', mode })).toMatchObject(normal);
  });

  it('needs an agent and a known mode', () => {
    expect(errorOf({ type: 'agent_tool' })).toBe('node "n": agent is required');
    expect(errorOf({ type: 'agent_tool', agent: 'a', mode: 'loud' })).toContain('mode must be one of');
    expect(errorOf({ type: 'agent_tool', agent: 'a', mode: { conversational: { max_turns: 0 } } })).toContain('max_turns');
  });
});

describe('tool', () => {
  it.each([['input_mapping'], ['arguments'], ['input']])('takes its input from %s', (key) => {
    const mapping = { id: '{{ state.id }}' };
    const kind = read({ type: 'tool', tool_ref: 't', [key]: mapping });
    expect(definitionOf(kind).mapping(kind)).toEqual(mapping);
  });

  it('gets the whole state without a mapping', () => {
    const kind = read({ type: 'tool', tool_ref: 't', input_mapping: {} });
    expect(definitionOf(kind).mapping(kind)).toBe(null);
  });

  it('accepts one template for the whole input', () => {
    const kind = read({ type: 'tool', tool_ref: 't', input_mapping: '{{ state.order }}' });
    expect(definitionOf(kind).mapping(kind)).toBe('{{ state.order }}');
  });

  it('needs a name', () => {
    expect(errorOf({ type: 'tool' })).toBe('node "n": tool_ref is required');
    expect(errorOf({ type: 'tool', tool_ref: '' })).toBe('node "n": tool_ref is required');
  });

  it('has that name for policies and external workers', () => {
    const kind = read(samples.tool);
    expect(definitionOf(kind).policyNames(kind)).toEqual(['shop.mail']);
    expect(definitionOf(kind).tool(kind)).toBe('shop.mail');
    expect(definitionOf(kind).payload(kind, { a: 1 })).toEqual({ tool_ref: 'shop.mail', input: { a: 1 } });
  });
});

describe('a tool that is declared as a function of another language', () => {
  const declared = (kind: string, key: 'reference' | 'ref', reference: string) =>
    normalise({
      workflow_id: 'w',
      version: '1',
      tools: { double: { kind, [key]: reference } },
      nodes: { n: { kind: { type: 'tool', tool_ref: 'double' } } },
    });
  const first = ({ workflow }: ReturnType<typeof declared>): Kind => {
    const [node] = workflow.nodes;
    if (node === undefined) throw new Error('no node');
    return node.kind;
  };

  it.each([
    ['reference', 'app.tools:double'],
    ['ref', 'app.tools:double'],
    ['reference', 'app.tools.double'],
  ] as const)('%s: %s goes to Python workers', (key, reference) => {
    const kind = first(declared('python', key, reference));
    expect(definitionOf(kind).queue(kind)).toBe('python_tool');
    expect(definitionOf(kind).payload(kind, { n: 1 })).toEqual({
      tool_ref: 'double',
      module: 'app.tools',
      function: 'double',
      input: { n: 1 },
    });
    expect(definitionOf(kind).policyNames(kind)).toEqual(['double']);
    expect(definitionOf(kind).tool(kind)).toBe('double');
    expect(Value.Check(KINDS.tool.schema, kind)).toBe(true);
  });

  it.each(['com.acme.Tools#convert', 'com.acme.Tools::convert', 'com.acme.Tools:convert', 'com.acme.Tools.convert'])(
    '%s goes to Java workers',
    (reference) => {
      const kind = first(declared('java', 'reference', reference));
      expect(definitionOf(kind).queue(kind)).toBe('java_tool');
      expect(definitionOf(kind).payload(kind, 5)).toEqual({
        tool_ref: 'double',
        class: 'com.acme.Tools',
        method: 'convert',
        input: 5,
      });
    },
  );

  it.each(['double', ':double', 'app.tools:', 'app tools:double', ''.padEnd(600, 'a.b')])(
    'stays where it was, with a warning, when it names none: %s',
    (reference) => {
      const read = declared('python', 'reference', reference);
      const kind = first(read);
      expect(definitionOf(kind).queue(kind)).toBe('tool');
      expect(read.diagnostics.map(({ code, path }) => [code, path])).toEqual([['bad_reference', 'tools.double.reference']]);
    },
  );
});

describe('mcp_tool', () => {
  it.each([['input_mapping'], ['arguments'], ['input']])('takes its arguments from %s', (key) => {
    const kind = read({ ...samples.mcp_tool, [key]: { q: '{{ state.q }}' } });
    expect(definitionOf(kind).mapping(kind)).toEqual({ q: '{{ state.q }}' });
  });

  it('has no arguments without a mapping', () => {
    const kind = read(samples.mcp_tool);
    expect(definitionOf(kind).mapping(kind)).toEqual({});
  });

  it('has a name for policies with and without its server', () => {
    const kind = read(samples.mcp_tool);
    expect(definitionOf(kind).policyNames(kind)).toEqual(['brave.search', 'search']);
    expect(definitionOf(kind).tool(kind)).toBe('search');
    expect(definitionOf(kind).mcpServer(kind)).toBe('brave');
  });

  it.each([
    [{ type: 'object' }, { type: 'object' }],
    ['{"type": "object"}', { type: 'object' }],
    ['', undefined],
    ['Answer', undefined],
  ])('reads the schema %j', (output_schema, expected) => {
    expect((read({ ...samples.mcp_tool, output_schema }) as { output_schema?: Json }).output_schema).toEqual(expected);
  });

  it('refuses a schema that is none', () => {
    expect(errorOf({ ...samples.mcp_tool, output_schema: '{broken' })).toContain('looks like JSON');
    expect(errorOf({ ...samples.mcp_tool, output_schema: 5 })).toContain('must be a JSON Schema');
  });

  const servers = (server: Json) =>
    normalise({
      workflow_id: 'w',
      version: '1',
      mcp_servers: { brave: server, other: 5 },
      nodes: { n: { kind: samples.mcp_tool } },
    }).workflow.mcp_servers;

  it.each<[JsonObject, JsonObject]>([
    [{ url: 'https://a.example/mcp' }, { transport: 'http_sse', url: 'https://a.example/mcp', args: [], env: {} }],
    [
      { transport: 'streamable_http', url: 'http://a/mcp', auth: { type: 'bearer', token_env: 'T' } },
      { transport: 'streamable_http', url: 'http://a/mcp', auth: { type: 'bearer', token_env: 'T' }, args: [], env: {} },
    ],
    [
      { command: 'npx', args: ['x', 5] },
      { transport: 'stdio', command: 'npx', args: ['x', '5'], env: {} },
    ],
  ])('is on the server %j', (server, expected) => expect(servers(server)).toEqual({ brave: expected }));

  it.each<[Json, string]>([
    [5, 'mcp_servers.brave must be an object'],
    [{}, 'mcp_servers.brave.url is required'],
    [{ url: 'ftp://x' }, 'mcp_servers.brave.url must be an http'],
    [{ transport: 'web_socket', url: 'ws://x' }, 'is not available'],
    [{ transport: 'stdio' }, 'mcp_servers.brave.command is required'],
    [{ url: 'http://x', auth: { type: 'oauth2' } }, 'mcp_servers.brave.auth.client_id_env is required'],
    [{ url: 'http://x', auth: { type: 'bearer' } }, 'mcp_servers.brave.auth.token_env is required'],
    [{ url: 'http://x', auth: {} }, 'mcp_servers.brave.auth.type is required'],
  ])('is not on the server %j', (server, problem) => expect(() => servers(server)).toThrow(problem));
});

describe('http', () => {
  it('is a GET, or a POST when it has a body', () => {
    expect(read(samples.http)).toMatchObject({ method: 'GET' });
    expect(read({ ...samples.http, body: { a: 1 } })).toMatchObject({ method: 'POST' });
    expect(read({ ...samples.http, method: 'put', body: 'state.x' })).toMatchObject({ method: 'PUT', body: 'state.x' });
  });

  it('maps url, headers, query and body', () => {
    const kind = read({ type: 'http', url: 'state.url', headers: { a: 'b' }, params: { q: 1 }, body: ['x'] });
    expect(definitionOf(kind).mapping(kind)).toEqual({ url: 'state.url', headers: { a: 'b' }, query: { q: 1 }, body: ['x'] });
  });

  it('refuses an unknown method and a missing url', () => {
    expect(errorOf({ type: 'http', url: 'x', method: 'CONNECT' })).toContain('method must be one of GET');
    expect(errorOf({ type: 'http' })).toContain('url is required');
  });
});

describe('code nodes', () => {
  it('have the payload that their workers need', () => {
    const python = read(samples.python_fn);
    expect(definitionOf(python).payload(python, 5)).toEqual({ module: 'flows.pay', function: 'big', input: 5 });
    expect(definitionOf(python).policyNames(python)).toEqual(['flows.pay.big', 'big']);
    const java = read(samples.java_fn);
    expect(definitionOf(java).payload(java, 5)).toEqual({ class: 'com.acme.Pay', method: 'big', input: 5 });
    expect(definitionOf(java).policyNames(java)).toEqual(['com.acme.Pay.big', 'big']);
  });

  it("ignore the `input` that the Python SDK's agent loop writes, whose worker gets the whole state", () => {
    const loop = { type: 'python_fn', module: 'jamjet.agents.tool_runtime', function: 'dispatch_tool_calls' };
    const mappingOf = (kind: Kind) => definitionOf(kind).mapping(kind);
    expect(mappingOf(read({ ...loop, input: { a: 1 } }))).toBe(null);
    expect(mappingOf(read({ ...loop, arguments: { a: 1 } }))).toEqual({ a: 1 });
    expect(mappingOf(read({ ...samples.python_fn, input: { a: 1 } }))).toEqual({ a: 1 });
  });
});

describe('condition', () => {
  it.each<[string, JsonObject]>([
    [
      'condition and target',
      {
        branches: [
          { condition: 'state.x', target: 'a' },
          { condition: null, target: 'b' },
        ],
      },
    ],
    ['when and next', { branches: [{ when: 'state.x', next: 'a' }, { next: 'b' }] }],
    ['if and to', { conditions: [{ if: 'state.x', to: 'a' }], default: 'b' }],
  ])('takes branches with %s', (_name, keys) => {
    const branches = [
      { condition: 'state.x', target: 'a' },
      { condition: null, target: 'b' },
    ];
    expect(read({ type: 'condition', ...keys })).toEqual({ type: 'condition', branches });
    expect(read({ type: 'branch', ...keys })).toEqual({ type: 'condition', branches });
  });

  it('needs no branches', () => {
    expect(read({ type: 'condition' })).toEqual({ type: 'condition', branches: [] });
  });

  it('reports the wrong branch', () => {
    expect(errorOf({ type: 'condition', branches: [{ target: 'a' }, { condition: 'x' }, 5] })).toBe(
      'node "n": branches[1].target is required; node "n": branches[2] must be an object {condition, target}',
    );
  });
});

describe('a remote agent', () => {
  it.each(['a2a_task', 'agent_tool', 'agent_discovery', 'agent'])('of %s may be named by agent_uri', (type) => {
    const url = 'https://legal.example';
    expect(read({ type, agent_uri: url })).toEqual(read({ type, agent_url: url }));
    expect(JSON.stringify(read({ type, agent_uri: url }))).toContain(url);
  });
});

describe('a custom scorer', () => {
  const scorersOf = (scorer: JsonObject) => {
    const kind = read({ type: 'eval', scorers: [{ type: 'custom', ...scorer }] });
    return kind.type === 'eval' ? kind.scorers : [];
  };

  it.each<[JsonObject]>([[{ module: 'style' }], [{ scorer_ref: 'style' }], [{ module: '', scorer_ref: 'style' }]])(
    'is named by %j',
    (names) => {
      expect(scorersOf({ ...names, kwargs: { tone: 'dry' } })).toEqual([
        { type: 'custom', module: 'style', kwargs: { tone: 'dry' } },
      ]);
    },
  );

  it('has a name', () => {
    expect(errorOf({ type: 'eval', scorers: [{ type: 'custom', module: '' }] })).toContain('module is required');
  });
});

describe('join', () => {
  it.each<[Json | undefined, JsonObject]>([
    [undefined, { type: 'collect' }],
    [null, { type: 'collect' }],
    ['collect', { type: 'collect' }],
    ['first', { type: 'first' }],
    [{ type: 'first' }, { type: 'first' }],
    [{ first: {} }, { type: 'first' }],
    [{ custom: { function_ref: 'm.n:f' } }, { type: 'custom', function_ref: 'm.n:f' }],
    [{ custom: { function_ref: 'm.n.f' } }, { type: 'custom', function_ref: 'm.n:f' }],
    [
      { type: 'custom', function_ref: 'm:f' },
      { type: 'custom', function_ref: 'm:f' },
    ],
  ])('merges by %j', (merge_strategy, expected) => {
    const keys = merge_strategy === undefined ? {} : { merge_strategy };
    expect(read({ type: 'join', ...keys })).toEqual({ type: 'join', wait_for: [], merge_strategy: expected });
  });

  it.each([['last'], [5], [{ custom: {} }], [{ custom: { function_ref: 'no module' } }], [[]]])(
    'refuses %j',
    (merge_strategy) => {
      expect(errorOf({ type: 'join', merge_strategy })).toContain('merge_strategy');
    },
  );

  it('is work only with a merge function', () => {
    const collect = read(samples.join);
    expect(definitionOf(collect).behaviour(collect)).toBe('control');
    const custom = read({ type: 'join', merge_strategy: { custom: { function_ref: 'pkg.m:merge' } } });
    expect(definitionOf(custom).behaviour(custom)).toBe('work');
    expect(definitionOf(custom).queue(custom)).toBe('python_tool');
    expect(definitionOf(custom).payload(custom, 5)).toEqual({ module: 'pkg.m', function: 'merge', input: 5 });
    expect(custom.type === 'join' && mergeFunction(custom)).toEqual({ module: 'pkg.m', function: 'merge' });
  });
});

describe('human_approval', () => {
  it('accepts all routes and a time limit', () => {
    const kind = read({
      type: 'human_approval',
      message: 'Ship {{ state.id }}?',
      timeout: '2h',
      on_approved: 'ship',
      on_rejected: 'revert',
      on_timeout: 'late',
      fallback: 'late',
    });
    expect(kind).toMatchObject({ description: 'Ship {{ state.id }}?', timeout_secs: 7200 });
    expect(definitionOf(kind).targets(kind)).toEqual([
      { role: 'on_approved', to: 'ship' },
      { role: 'on_rejected', to: 'revert' },
      { role: 'on_timeout', to: 'late' },
      { role: 'fallback_node', to: 'late' },
    ]);
  });

  it('has a default description', () => {
    expect(read({ type: 'human_approval' })).toMatchObject({ description: 'Approval required for n' });
    expect(read({ type: 'human_approval' }, { description: 'From the node' })).toMatchObject({ description: 'From the node' });
  });
});

describe('wait', () => {
  it.each<[JsonObject, JsonObject]>([
    [{}, { condition: 'external_event', correlation_key: 'n' }],
    [{ event: 'paid' }, { condition: 'external_event', correlation_key: 'paid' }],
    [
      { correlation_key: 'paid', event: 'other' },
      { condition: 'external_event', correlation_key: 'paid' },
    ],
    [
      { condition: 'either', event: 'paid', timeout: '5m' },
      { condition: 'either', correlation_key: 'paid', timeout_secs: 300 },
    ],
    [
      { condition: 'timer', timeout_secs: 5 },
      { condition: 'timer', correlation_key: 'n', timeout_secs: 5 },
    ],
    [
      { condition: 'timer', duration_secs: 5 },
      { condition: 'timer', timeout_secs: 5 },
    ],
    [{ duration_secs: 5 }, { condition: 'timer', timeout_secs: 5 }],
    [
      { event: 'paid', timeout_secs: 5, on_timeout: 'late' },
      { condition: 'external_event', timeout_secs: 5, on_timeout: 'late' },
    ],
  ])('%j', (keys, expected) => {
    expect(read({ type: 'wait', ...keys })).toMatchObject(expected);
  });

  it('for a timer needs a duration', () => {
    expect(errorOf({ type: 'wait', condition: 'timer' })).toContain('timeout_secs is required');
  });

  it.each([['never'], ['event'], [5]])('refuses the condition %j', (condition) => {
    expect(errorOf({ type: 'wait', condition })).toContain('condition must be one of "timer", "external_event", "either"');
  });
});

describe('subgraph', () => {
  it('accepts a number as a version', () => {
    expect(read({ ...samples.subgraph, workflow_version: 2 })).toMatchObject({ workflow_version: '2' });
    expect(read(samples.subgraph)).not.toHaveProperty('workflow_version');
  });
});

describe('keys without a meaning', () => {
  const warningsOf = (kind: JsonObject, beside: JsonObject = {}) =>
    normalise({ workflow_id: 'w', version: '1', nodes: { n: { kind, ...beside } } }).diagnostics.map(({ code, path, hint }) => [
      code,
      path,
      hint,
    ]);

  it('on this kind but with one on another are a warning', () => {
    expect(warningsOf({ ...samples.tool, on_rejected: 'a' })).toEqual([['ignored_key', 'nodes.n.kind.on_rejected', null]]);
    expect(warningsOf(samples.condition, { output_key: 'a' })).toEqual([['ignored_key', 'nodes.n.kind.output_key', null]]);
    expect(warningsOf(samples.wait, { node_timeout_secs: 5 })).toEqual([
      ['ignored_key', 'nodes.n.node_timeout_secs', 'use timeout_secs in the kind'],
    ]);
  });

  it('that resemble a known key are a warning', () => {
    expect(warningsOf({ ...samples.tool, ouput_key: 'a' })).toEqual([
      ['unknown_key', 'nodes.n.kind.ouput_key', 'did you mean "output_key"?'],
    ]);
  });

  it('of the author are accepted', () => {
    expect(warningsOf({ ...samples.tool, output_schema: '', team: 'payments', x_position: 5 })).toEqual([]);
  });
});
