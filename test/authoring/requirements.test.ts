import { describe, expect, it } from 'vitest';
import { checkWorkflow } from '../../src/authoring/check.ts';

/** `type name (nodes): hint` of each requirement. */
function needed(text: string): string[] {
  const { workflows, diagnostics } = checkWorkflow(text, '/flows/w.yaml');
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return workflows.flatMap(({ requirements }) =>
    requirements.map(({ type, name, nodes, hint }) => `${type} ${name} (${nodes.join(', ')}): ${hint}`),
  );
}

describe('what a workflow needs from outside', () => {
  it('is named: keys of models', () => {
    const text = `workflow: { id: w }
models: { fast: { provider: anthropic, model: claude-x } }
nodes:
  a: { type: model, model: fast, prompt: p, next: b }
  b: { type: model, model: gpt-4o, prompt: p, next: c }
  c: { type: model, model: gpt-4o, prompt: p, next: d }
  d: { type: model, model: ollama/llama3, prompt: p, next: e }
  e: { type: model, model: google/gemini-x, prompt: p, next: f }
  f: { type: model, model: house, prompt: p }
`;
    expect(needed(text)).toEqual([
      'model anthropic/claude-x (a): ANTHROPIC_API_KEY',
      'model openai/gpt-4o (b, c): OPENAI_API_KEY',
      'model ollama/llama3 (d): Ollama, at OLLAMA_BASE_URL',
      'model google/gemini-x (e): GOOGLE_GENERATIVE_AI_API_KEY',
      'model house (f): an entry of JAMJET_MODELS',
    ]);
  });

  it('is named: MCP servers and agents', () => {
    const text = `workflow: { id: w }
mcp: { servers: { hub: { url: "https://hub.example/mcp" }, local: { command: node, args: [s.mjs] } } }
a2a: { remote_agents: { partner: { url: "https://partner.example" } } }
nodes:
  a: { type: mcp_tool, server: hub, tool: t, next: b }
  b: { type: mcp_tool, server: local, tool: t, next: c }
  c: { server: github, tool: t, next: d }
  d: { type: a2a_task, remote_agent: partner, next: e }
  e: { type: a2a_task, agent_url: "https://other.example", next: f }
  f: { type: a2a_task, remote_agent: reviewer, next: g }
  g: { type: a2a_task, agent_uri: "\${DESK_URL}", next: h }
  h: { type: agent_tool, agent: "\${DESK_URL}" }
`;
    expect(needed(text)).toEqual([
      'mcp_server hub (a): the server at https://hub.example/mcp',
      'mcp_server local (b): [mcp.servers.local] in jamjet.toml, or a run without a server, which starts node',
      'mcp_server github (c): [mcp.servers.github] in jamjet.toml',
      'agent partner (d): the agent at https://partner.example',
      'agent https://other.example (e): an agent that speaks A2A at this address',
      'agent reviewer (f): an agent registered under this id',
      'agent {{ env.DESK_URL }} (g, h): an agent that speaks A2A at this address',
      'variable DESK_URL (): JAMJET_WORKFLOW_ENV of the server',
    ]);
  });

  it('is named: functions, workers and workflows, unless the file brings them', () => {
    const text = `tools:
  own: { kind: function, reference: "./tools.mjs#own" }
  web: { kind: http, reference: "https://tools.example" }
  double: { kind: python, reference: "app.tools:double" }
workflows:
  parent:
    nodes:
      own: { next: web }
      web: { next: double }
      double: { next: charge }
      charge: { next: score }
      score: { type: python_fn, module: m, function: f, next: report }
      report: { type: java_fn, class: com.acme.R, method: write, next: child }
      child: { type: subgraph, workflow: child, next: other }
      other: { type: subgraph, workflow: other, next: judge }
      judge:
        type: eval
        scorers: [{ type: custom, module: style }, { type: custom, module: own }, { type: custom, module: web }]
  child: { nodes: { own: {} } }
`;
    expect(needed(text)).toEqual([
      'worker python_tool double (double): a worker of queue python_tool',
      'function charge (charge): --tools MODULE, "tools:" in the file, or a worker of queue tool',
      'worker python_tool m.f (score): a worker of queue python_tool',
      'worker java_tool com.acme.R.write (report): a worker of queue java_tool',
      'workflow other (other): register it on the same server',
      'function style (judge): --tools MODULE, "tools:" in the file, or an entry of "tools" with kind http',
    ]);
  });

  it('is named: variables of templates, conditions, addresses and credentials', () => {
    const text = `workflow: { id: w }
mcp: { servers: { hub: { url: "https://\${HOST}/mcp", auth: { type: bearer, token_env: HUB_TOKEN } } } }
nodes:
  a:
    type: http
    url: "https://x.example/{{ env.REGION }}"
    headers: { authorization: "Bearer {{ env['API_KEY'] }}" }
    next: [{ when: "env.MODE == 'live'", to: b }, end]
  b: { type: mcp_tool, server: hub, tool: t, arguments: { q: "no env.OTHER here" } }
`;
    expect(needed(text).filter((need) => need.startsWith('variable'))).toEqual(
      ['API_KEY', 'HOST', 'HUB_TOKEN', 'MODE', 'REGION'].map((name) => `variable ${name} (): JAMJET_WORKFLOW_ENV of the server`),
    );
  });
});
