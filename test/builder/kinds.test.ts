import { describe, expect, it } from 'vitest';
import { KIND_NAMES, type Kind } from '../../machines/nodes/index.ts';
import { Type, type WorkflowDefinition, workflow } from '../../src/index.ts';
import { checkWorkflow } from '../../src/library/yaml.ts';

const declared = {
  id: 'w',
  version: '1',
  state: Type.Object({
    text: Type.String(),
    words: Type.Optional(Type.Array(Type.String())),
    found: Type.Optional(Type.Unknown()),
  }),
  tools: { charge: ({ amount }: { amount: string }) => ({ amount }), release: () => null, grade: () => ({ score: 1 }) },
  events: { paid: Type.Object({ by: Type.String() }) },
  policies: { strict: { blockedTools: ['shell.*'] } },
  mcpServers: { brave: { url: 'https://brave.example/mcp' } },
  remoteAgents: { legal: { url: 'https://legal.example' } },
} as const;

const HEADER = `
workflow:
  id: w
  version: "1"
  state_schema: ${JSON.stringify(declared.state)}
policies: { strict: { blocked_tools: ["shell.*"] } }
mcp: { servers: { brave: { url: https://brave.example/mcp } } }
a2a: { remote_agents: { legal: { url: https://legal.example } } }
`;

/** One node of each kind, with the keys of its kind, and the same in YAML. */
const KINDS: Readonly<Record<Kind['type'], readonly [WorkflowDefinition, string]>> = {
  tool: [
    workflow({
      ...declared,
      nodes: {
        n: {
          tool: 'charge',
          input: { amount: '{{ state.text }}' },
          outputKey: 'found',
          timeout: '5s',
          retry: { maxAttempts: 3, initialDelay: '100ms', retryableOn: ['timeout', 503] },
          fallback: 'end',
          outputSchema: Type.Object({ amount: Type.String() }),
          circuitBreakerThreshold: 2,
        },
      },
    }),
    `tool: charge
    input: { amount: "{{ state.text }}" }
    output_key: found
    timeout: 5s
    retry: { max_attempts: 3, initial_delay: 100ms, retryable_on: [timeout, 503] }
    fallback: end
    output_schema: { type: object, required: [amount], properties: { amount: { type: string } } }
    circuit_breaker_threshold: 2`,
  ],
  http: [
    workflow({
      ...declared,
      nodes: {
        n: {
          type: 'http',
          url: 'https://shop.example/{{ state.text }}',
          method: 'POST',
          headers: { 'X-Order': '{{ state.text }}' },
          query: { dryRun: 'yes' },
          body: { text: '{{ state.text }}', withKey: [1] },
        },
      },
    }),
    `type: http
    url: "https://shop.example/{{ state.text }}"
    method: POST
    headers: { X-Order: "{{ state.text }}" }
    query: { dryRun: "yes" }
    body: { text: "{{ state.text }}", withKey: [1] }`,
  ],
  model: [
    workflow({
      ...declared,
      nodes: {
        n: {
          type: 'model',
          model: 'gpt-4o',
          prompt: 'Say {{ state.text }}',
          systemPrompt: 'Be short.',
          temperature: 0.5,
          maxTokens: 100,
          maxCallsPerAnswer: 7,
          tools: [{ name: 'find', description: 'Finds.', parameters: { type: 'object', properties: { maxItems: {} } } }],
        },
      },
    }),
    `type: model
    model: gpt-4o
    prompt: "Say {{ state.text }}"
    system_prompt: Be short.
    temperature: 0.5
    max_tokens: 100
    max_calls_per_answer: 7
    tools: [{ name: find, description: Finds., parameters: { type: object, properties: { maxItems: {} } } }]`,
  ],
  agent: [
    workflow({
      ...declared,
      nodes: {
        n: {
          type: 'agent',
          model: 'gpt-4o',
          instructions: 'Help.',
          prompt: '{{ state.text }}',
          tools: ['charge', 'mcp:brave.search', { name: 'free', tool: 'release', policy: { requireApprovalFor: ['free'] } }],
          maxTurns: 4,
          parallelToolCalls: 2,
          maxCallsPerAnswer: 7,
          conversationKey: 'found',
        },
      },
    }),
    `type: agent
    model: gpt-4o
    instructions: Help.
    prompt: "{{ state.text }}"
    tools: [charge, mcp:brave.search, { name: free, tool: release, policy: { require_approval_for: [free] } }]
    max_turns: 4
    parallel_tool_calls: 2
    max_calls_per_answer: 7
    conversation_key: found`,
  ],
  mcp_tool: [
    workflow({
      ...declared,
      nodes: { n: { type: 'mcp_tool', server: 'brave', tool: 'search', input: { maxItems: 3, q: '{{ state.text }}' } } },
    }),
    'type: mcp_tool\n    server: brave\n    tool: search\n    input: { maxItems: 3, q: "{{ state.text }}" }',
  ],
  a2a_task: [
    workflow({
      ...declared,
      nodes: {
        n: { type: 'a2a_task', remoteAgent: 'legal', skill: 'review', input: { text: 'state.text' }, taskId: 'state.found' },
      },
    }),
    'type: a2a_task\n    remote_agent: legal\n    skill: review\n    input: { text: state.text }\n    task_id: state.found',
  ],
  coordinator: [
    workflow({
      ...declared,
      nodes: {
        n: {
          type: 'coordinator',
          task: 'Write {{ state.text }}',
          requiredSkills: ['write'],
          preferredSkills: ['edit'],
          trustDomain: 'acme',
          budget: { maxCostUsd: 1, maxLatencyMs: 500 },
          tiebreaker: { model: 'gpt-4o', threshold: 0.1, maxCandidates: 3 },
          weights: { capabilityFit: 0.5, historicalPerformance: 0.5 },
        },
      },
    }),
    `type: coordinator
    task: "Write {{ state.text }}"
    required_skills: [write]
    preferred_skills: [edit]
    trust_domain: acme
    budget: { max_cost_usd: 1, max_latency_ms: 500 }
    tiebreaker: { model: gpt-4o, threshold: 0.1, max_candidates: 3 }
    weights: { capability_fit: 0.5, historical_performance: 0.5 }`,
  ],
  memory_retrieval: [
    workflow({
      ...declared,
      nodes: { n: { type: 'memory_retrieval', memory: 'handbook', query: 'state.text', limit: 3, filter: { pageNo: 1 } } },
    }),
    'type: memory_retrieval\n    memory: handbook\n    query: state.text\n    limit: 3\n    filter: { pageNo: 1 }',
  ],
  agent_tool: [
    workflow({
      ...declared,
      nodes: {
        n: {
          type: 'agent_tool',
          agent: 'legal',
          mode: 'conversational',
          maxTurns: 3,
          maxTokensPerTurn: 50,
          timeoutMs: 900,
          budget: { maxCostUsd: 1, maxTokens: 10 },
        },
      },
    }),
    `type: agent_tool
    agent: legal
    mode: conversational
    max_turns: 3
    max_tokens_per_turn: 50
    timeout_ms: 900
    budget: { max_cost_usd: 1, max_tokens: 10 }`,
  ],
  agent_discovery: [
    workflow({
      ...declared,
      nodes: {
        n: { type: 'agent_discovery', skill: 'review', protocol: 'a2a', agentUrl: 'https://legal.example', outputKey: 'found' },
      },
    }),
    'type: agent_discovery\n    skill: review\n    protocol: a2a\n    agent_url: https://legal.example\n    output_key: found',
  ],
  python_fn: [
    workflow({
      ...declared,
      nodes: { n: { type: 'python_fn', module: 'flows.pay', function: 'big', input: { a: 'state.text' } } },
    }),
    'type: python_fn\n    module: flows.pay\n    function: big\n    input: { a: state.text }',
  ],
  java_fn: [
    workflow({ ...declared, nodes: { n: { type: 'java_fn', className: 'com.acme.Pay', method: 'big' } } }),
    'type: java_fn\n    class_name: com.acme.Pay\n    method: big',
  ],
  condition: [
    workflow({
      ...declared,
      nodes: {
        n: { type: 'condition', branches: [{ if: "state.text == 'a'", next: 'end' }], default: 'm' },
        m: { type: 'limit_exceeded' },
      },
    }),
    `type: condition\n    branches: [{ if: "state.text == 'a'", next: end }]\n    default: m\n  m: { type: limit_exceeded }`,
  ],
  parallel: [
    workflow({
      ...declared,
      nodes: {
        n: { type: 'parallel', branches: ['a', 'b'], join: 'j' },
        a: { type: 'wait', duration: 5 },
        b: { type: 'wait', duration: '1m' },
        j: { type: 'join' },
      },
    }),
    `type: parallel
    branches: [a, b]
    join: j
  a: { type: wait, duration: 5 }
  b: { type: wait, duration: 1m }
  j: { type: join }`,
  ],
  join: [
    workflow({
      ...declared,
      nodes: {
        p: { type: 'parallel', branches: ['a', 'b'] },
        a: { tool: 'release', next: 'n' },
        b: { tool: 'release', next: 'n' },
        n: {
          type: 'join',
          waitFor: ['a'],
          strategy: { custom: { functionRef: 'shop:merge' } },
          outputToState: { score: 'found' },
        },
      },
    }),
    `type: join
    wait_for: [a]
    strategy: { custom: { function_ref: 'shop:merge' } }
    output_to_state: { score: found }`,
  ],
  human_approval: [
    workflow({
      ...declared,
      nodes: {
        n: { type: 'human_approval', message: 'Ship?', timeout: '2h', onApproved: 'm', onRejected: 'end', onTimeout: 'reject' },
        m: { type: 'limit_exceeded' },
      },
    }),
    `type: human_approval
    message: Ship?
    timeout: 2h
    on_approved: m
    on_rejected: end
    on_timeout: reject
  m: { type: limit_exceeded }`,
  ],
  wait: [
    workflow({
      ...declared,
      nodes: { n: { type: 'wait', event: 'paid', timeout: '2d', onTimeout: 'end', outputKey: 'found' } },
    }),
    'type: wait\n    event: paid\n    timeout: 2d\n    on_timeout: end\n    output_key: found\n    schema: { type: object, required: [by], properties: { by: { type: string } } }',
  ],
  subgraph: [
    workflow({
      ...declared,
      nodes: {
        n: {
          type: 'subgraph',
          workflow: workflow({ id: 'child', nodes: { a: { type: 'wait', duration: 1 } } }),
          version: '2',
          input: { theText: '{{ state.text }}' },
          outputMapping: { found: '{{ state.a }}' },
        },
      },
    }),
    `type: subgraph
    workflow: child
    version: "2"
    input: { theText: "{{ state.text }}" }
    output_mapping: { found: "{{ state.a }}" }`,
  ],
  map: [
    workflow({
      ...declared,
      nodes: {
        n: {
          type: 'map',
          items: 'state.words',
          as: 'word',
          do: { type: 'tool', toolRef: 'charge', input: { amount: '{{ word }}' } },
          maxConcurrency: 4,
          onItemError: { tolerate: '10%' },
          timeoutTotal: '5m',
          output: '{{ output.receipt }}',
          outputKey: 'found',
          timeout: '5s',
          retry: { maxAttempts: 2 },
        },
      },
    }),
    `type: map
    items: state.words
    as: word
    do: { type: tool, tool_ref: charge, input: { amount: "{{ word }}" } }
    max_concurrency: 4
    on_item_error: { tolerate: 10% }
    timeout_total: 5m
    output: "{{ output.receipt }}"
    output_key: found
    timeout: 5s
    retry: { max_attempts: 2 }`,
  ],
  eval: [
    workflow({
      ...declared,
      nodes: {
        a: { tool: 'release', next: 'n' },
        n: {
          type: 'eval',
          scorers: [
            { type: 'llm_judge', model: 'gpt-4o', rubric: 'Good?', minScore: 4 },
            { type: 'assertion', checks: ['output != null'] },
            { type: 'latency', thresholdMs: 100 },
            { type: 'cost', thresholdUsd: 0.1 },
            { type: 'custom', module: 'grade', kwargs: { minLength: 3 } },
          ],
          onFail: 'retry_with_feedback',
          maxRetries: 2,
          inputExpr: 'output',
          retryNode: 'a',
        },
      },
    }),
    `type: eval
    scorers:
      - { type: llm_judge, model: gpt-4o, rubric: "Good?", min_score: 4 }
      - { type: assertion, checks: [output != null] }
      - { type: latency, threshold_ms: 100 }
      - { type: cost, threshold_usd: 0.1 }
      - { type: custom, module: grade, kwargs: { minLength: 3 } }
    on_fail: retry_with_feedback
    max_retries: 2
    input_expr: output
    retry_node: a`,
  ],
  policy: [
    workflow({
      ...declared,
      nodes: {
        n: {
          type: 'policy',
          policyRef: 'strict',
          subject: ['mail.send', '{{ state.text }}'],
          onViolation: 'warn',
          onBlocked: 'end',
        },
      },
    }),
    'type: policy\n    policy_ref: strict\n    subject: [mail.send, "{{ state.text }}"]\n    on_violation: warn\n    on_blocked: end',
  ],
  finalizer: [
    workflow({
      ...declared,
      nodes: { a: { tool: 'release' }, n: { type: 'finalizer', tool: 'release', runOn: 'failure', timeout: '5s' } },
    }),
    'type: finalizer\n    tool: release\n    run_on: failure\n    timeout: 5s',
  ],
  limit_exceeded: [
    workflow({ ...declared, nodes: { n: { type: 'limit_exceeded', description: 'Too much.', labels: { dueTo: 'cost' } } } }),
    'type: limit_exceeded\n    description: Too much.\n    labels: { dueTo: cost }',
  ],
  durable_function: [
    workflow({
      ...declared,
      nodes: { n: { type: 'durable_function', function: 'onboarding', input: { text: '{{ state.text }}' } } },
    }),
    'type: durable_function\n    function: onboarding\n    input: { text: "{{ state.text }}" }',
  ],
};

/** Nodes that some of the samples have before theirs. */
const BEFORE: Partial<Record<Kind['type'], string>> = {
  join: '\n  p: { type: parallel, branches: [a, b] }\n  a: { tool: release, next: n }\n  b: { tool: release, next: n }',
  eval: '\n  a: { tool: release, next: n }',
  finalizer: '\n  a: { tool: release }',
};

describe('a node in TypeScript', () => {
  it.each(KIND_NAMES)('of kind %s becomes that of the same node in YAML', (kind) => {
    const [definition, node] = KINDS[kind];
    const functions = 'tools: {}';
    const yaml = `${HEADER}${functions}\nnodes:${BEFORE[kind] ?? ''}\n  n:\n    ${node}\n`;
    const { document, diagnostics } = checkWorkflow(yaml, 'w.yaml');
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(document).toMatchObject({ nodes: { n: { kind: { type: kind } } } });
    expect(definition.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(JSON.stringify(definition.document, null, 1)).toBe(JSON.stringify(document, null, 1));
  });
});
