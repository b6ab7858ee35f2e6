import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { checkWorkflow } from '../../src/authoring/check.ts';
import { failureReasons } from '../../src/testing/report.ts';
import { examine } from '../testing/examine-file.ts';
import { compiled, edges, problems } from './compile.ts';

const LIST = `workflow:
  id: listed
  start_node: judge
  nodes:
    - id: judge
      kind: model
      label: Judges the request
      config:
        model: m
        system: Be brief
        prompt_template: "Judge {{ request }}"
        structured_output: true
        output_to_state: { assessment: assessment, level: risk }
      edges:
        - to: ask
    - id: ask
      kind: human_approval
      label: Waits for a decision
      config:
        prompt_template: "Risk {{ risk }}: {{ assessment }}"
        timeout: { node_seconds: 86400 }
        on_timeout: reject
      edges:
        - condition: "decision == 'approved'"
          to: act
        - condition: "decision == 'rejected'"
          to: record
    - id: act
      kind: tool
      config:
        fn: execute
        input_from_state: { request: request, risk: risk.level }
        output_to_state: { result: done }
      retry: { max_attempts: 2 }
      edges: [{ to: end }]
    - id: record
      kind: tool
      edges: [{ to: end }]
`;

function nodes(text: string): JsonObject {
  return compiled(text).nodes as JsonObject;
}

describe('nodes as a list', () => {
  it('compile to the same document as a map of nodes', () => {
    const map = `workflow: { id: listed, start: judge }
nodes:
  judge:
    type: model
    description: Judges the request
    model: m
    system: Be brief
    prompt: "Judge {{ request }}"
    output_to_state: { assessment: assessment, level: risk }
    next: ask
  ask:
    type: human_approval
    description: Waits for a decision
    message: "Risk {{ risk }}: {{ assessment }}"
    timeout: 1d
    on_timeout: record
    next: [{ when: "decision == 'approved'", to: act }, { when: "decision == 'rejected'", to: record }]
  act:
    tool_ref: execute
    input: { request: "{{ state.request }}", risk: "{{ state.risk.level }}" }
    output_to_state: { result: done }
    retry: { max_attempts: 2 }
    next: end
  record: { next: end }
`;
    expect(compiled(LIST)).toEqual(compiled(map));
  });

  it('may stand beside the header, and beside edges', () => {
    const text = `workflow_id: w
version: 1.0.0
nodes:
  - { id: a, type: tool }
  - { id: b, type: tool }
edges:
  - { from: a, to: b, when: output.ok }
  - { from: a, to: end }
`;
    expect(compiled(text)).toMatchObject({ workflow_id: 'w', version: '1.0.0', start_node: 'a' });
    expect(edges(text)).toEqual(['a → b if output.ok', 'a → end', 'b → end']);
  });

  it.each([
    ['workflow: { id: w }\nnodes: [{ kind: tool }]', '2:9 error missing_key'],
    ['workflow: { id: w }\nnodes: [{ id: a }, { id: a }]', '2:26 error duplicate_node'],
    ['workflow: { id: w }\nnodes: [{ id: a }, b]', '2:20 error wrong_type'],
    ['workflow: { id: w }\nnodes: [{ id: a, tool_ref: x, config: { tool_ref: y } }]', '2:41 error given_twice'],
    ['workflow: { id: w }\nnodes: [{ id: a, config: { tol: y } }]', '2:28 warning unknown_key'],
    ['workflow: { id: w }\nnodes: []', '2:1 error no_nodes'],
    ['workflow: { id: w }\nnodes: { a: { next: end } }\nedges: [{ from: a, to: end }]', '3:24 error given_twice'],
    ['workflow: { id: w }\nnodes: { a: {} }\nedges: [{ from: b, to: end }]', '3:17 error unknown_source'],
    ['workflow: { id: w }\nnodes: { a: {} }\nedges: [{ to: end }]', '3:9 error missing_key'],
    ['workflow: { id: w }\nnodes: { a: {} }\nedges: [x]', '3:9 error wrong_type'],
    ['workflow: { id: w }\nnodes: { a: {} }\nedges: x', '3:8 error wrong_type'],
  ])('show their mistakes: %j', (text, problem) => expect(problems(text)).toEqual([problem]));

  it('show the mistakes of the document at their position', () => {
    const text = LIST.replace('- to: ask', '- to: aks').replace('fn: execute', 'fn: [execute]');
    const found = checkWorkflow(text, 'w').diagnostics.filter(({ severity }) => severity === 'error');
    expect(found.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([
      '15:15 unknown_target',
      '31:13 wrong_type',
    ]);
  });

  it('run', () => {
    const text = `${LIST}tests:
  - name: a rejection
    input: { request: r }
    results:
      judge: { assessment: fine, level: low, more: 1 }
      ask: reject
    expect: { visited: [judge, ask, record], state: { assessment: fine, risk: low, judge: null, more: null } }
  - name: no decision in time
    results: { judge: { assessment: fine }, ask: timeout }
    expect: { visited: [judge, ask, record], state: { assessment: fine, risk: null } }
  - name: an approval
    results: { ask: approve, act: sent }
    expect: { visited: [judge, ask, act], state: { done: sent } }
`;
    const [{ tests, diagnostics }] = examine(text, 'w', { paths: 10, steps: 100 }, () => 0);
    expect(diagnostics).toEqual([]);
    expect(tests.flatMap(failureReasons)).toEqual([]);
  });
});

describe('on_timeout of an approval', () => {
  const approval = (keys: string) =>
    nodes(`workflow: { id: w }\nnodes:\n  a: { type: human_approval, timeout: 1h, ${keys} }\n  b: {}\n`).a;

  it('may be the word for a decision', () => {
    expect(approval('on_timeout: reject, on_rejected: b')).toMatchObject({ kind: { on_timeout: 'b' } });
    expect(approval('on_timeout: approve, next: b')).toMatchObject({ kind: { on_timeout: 'b' } });
    expect(approval('on_timeout: rejected, next: [{ when: not approved, to: b }, end]')).toMatchObject({
      kind: { on_timeout: 'b' },
    });
    // Nothing leads on from a rejection: the node fails.
    expect(approval('on_timeout: reject, next: b')).not.toHaveProperty('kind.on_timeout');
  });

  it('is a node if there is one of that name', () => {
    const text = 'workflow: { id: w }\nnodes:\n  a: { type: human_approval, on_timeout: reject, next: end }\n  reject: {}\n';
    expect(nodes(text).a).toMatchObject({ kind: { on_timeout: 'reject' } });
  });
});

/** A variable as a file refers to it. */
function variable(name: string): string {
  return ['$', `{${name}}`].join('');
}

describe('variables in addresses', () => {
  it('are templates, or are resolved when the server is called', () => {
    const text = `workflow: { id: w }
mcp: { servers: { hub: { url: "\${HUB}" } } }
nodes:
  a: { type: http, url: "\${API}/x", headers: { authorization: "Bearer \${TOKEN}" }, body: "\${HOME}", next: b }
  b: { type: mcp_tool, server_url: "\${DOCS}", tool: search, next: c }
  c: { type: mcp_tool, server: hub, tool: search }
`;
    expect(nodes(text)).toMatchObject({
      a: { kind: { url: '{{ env.API }}/x', headers: { authorization: 'Bearer {{ env.TOKEN }}' }, body: variable('HOME') } },
      b: { kind: { server: 'b', tool: 'search' } },
    });
    expect(compiled(text).mcp_servers).toEqual({ hub: { url: variable('HUB') }, b: { url: variable('DOCS') } });
    expect(checkWorkflow(text, 'w').diagnostics).toEqual([]);
  });
});

describe('settings that the document takes as they are', () => {
  it('are those of nodes and of the workflow', () => {
    const text = `workflow:
  id: w
  oauth: { token_endpoint: "https://id.example/token" }
  data_policy: { pii_fields: [$.email] }
nodes:
  a:
    autonomy: { level: guided }
    circuit_breaker_threshold: 3
    oauth_scopes: { required_scopes: [read] }
`;
    expect(compiled(text)).toMatchObject({
      oauth: { token_endpoint: 'https://id.example/token' },
      data_policy: { pii_fields: ['$.email'] },
      nodes: { a: { autonomy: { level: 'guided' }, circuit_breaker_threshold: 3, oauth_scopes: { required_scopes: ['read'] } } },
    });
  });
});
