import { describe, expect, it } from 'vitest';
import { kind, node, problems, workflowOf } from './compile.ts';

describe('a node', () => {
  it('is a tool of its own name by default', () => {
    expect(node('{}')).toEqual({ id: 'n', kind: { type: 'tool', tool_ref: 'n' } });
  });

  it('keeps description, labels, policy and data policy', () => {
    expect(
      node('{ description: d, labels: { team: 7 }, policy: { blocked_tools: [x] }, data_policy: { pii_fields: [$.a] } }'),
    ).toMatchObject({
      description: 'd',
      labels: { team: '7' },
      policy: { blocked_tools: ['x'] },
      data_policy: { pii_fields: ['$.a'] },
    });
  });

  it('limits an attempt by its timeout', () => {
    expect(node('{ timeout: 1.5m }')).toMatchObject({ node_timeout_secs: 90 });
    expect(node('{ timeout: 90 }')).toMatchObject({ node_timeout_secs: 90 });
    expect(node('{ node_timeout_secs: 20 }')).toMatchObject({ node_timeout_secs: 20 });
    expect(node('{ timeout_hours: 0.3 }')).toMatchObject({ node_timeout_secs: 1080 });
  });

  it('accepts a named retry policy', () =>
    expect(node('{ retry_policy: io_default }')).toMatchObject({ retry_policy: 'io_default' }));

  it('treats a YAML null as an absent key', () => {
    expect(node('{ timeout: null, retry: ~, output_key: , next: }')).toEqual({ id: 'n', kind: { type: 'tool', tool_ref: 'n' } });
  });
});

describe('the kinds of node', () => {
  it.each([
    ['{ type: tool, tool_ref: a.b }', { type: 'tool', tool_ref: 'a.b' }],
    ['{ type: tool, ref: a.b }', { type: 'tool', tool_ref: 'a.b' }],
    ['{ type: tool, tool: a.b }', { type: 'tool', tool_ref: 'a.b' }],
    ['{ kind: tool }', { type: 'tool', tool_ref: 'n' }],
    ['{ input: { x: state.y } }', { type: 'tool', tool_ref: 'n', input_mapping: { x: 'state.y' } }],
    ['{ arguments: { x: 1 } }', { type: 'tool', tool_ref: 'n', input_mapping: { x: 1 } }],
    ['{ input_mapping: "{{ state.all }}" }', { type: 'tool', tool_ref: 'n', input_mapping: '{{ state.all }}' }],
    [
      '{ output_schema: S, output_key: k, fallback: end }',
      { type: 'tool', tool_ref: 'n', output_schema: 'S', output_key: 'k', fallback_node: 'end' },
    ],
    [
      '{ server: brave, tool: search, arguments: { q: 1 } }',
      { type: 'mcp_tool', server: 'brave', tool: 'search', input_mapping: { q: 1 } },
    ],
    [
      '{ type: http, url: "u/{{ state.a }}", method: post, headers: { A: b }, query: { q: 1 }, body: { c: [1] }, output_key: r }',
      {
        type: 'http',
        url: 'u/{{ state.a }}',
        method: 'post',
        headers: { A: 'b' },
        query: { q: 1 },
        body: { c: [1] },
        output_key: 'r',
      },
    ],
    [
      '{ type: python_fn, module: m, function: f, input: { a: 1 } }',
      { type: 'python_fn', module: 'm', function: 'f', input_mapping: { a: 1 } },
    ],
    ['{ type: java_fn, class: a.B, method: m }', { type: 'java_fn', class_name: 'a.B', method: 'm' }],
    [
      '{ type: subgraph, workflow: child, version: 1.10, input: { a: 1 }, output_mapping: { b: state.c } }',
      {
        type: 'subgraph',
        workflow_ref: 'child',
        workflow_version: '1.10',
        input_mapping: { a: 1 },
        output_mapping: { b: 'state.c' },
      },
    ],
    ['{ type: join, wait_for: [a, b] }', { type: 'join', wait_for: ['a', 'b'] }],
    ['{ type: join, strategy: first, output_key: k }', { type: 'join', wait_for: [], merge_strategy: 'first', output_key: 'k' }],
    [
      '{ type: join, merge_strategy: { custom: { function_ref: "m:f" } } }',
      { type: 'join', wait_for: [], merge_strategy: { custom: { function_ref: 'm:f' } } },
    ],
    ['{ type: limit_exceeded }', { type: 'limit_exceeded' }],
    [
      '{ type: model, model: m, prompt: p, system: s, temperature: 0.2, max_tokens: 5, output_schema: { type: object }, output_key: k }',
      {
        type: 'model',
        model_ref: 'm',
        prompt_ref: 'p',
        system_prompt: 's',
        temperature: 0.2,
        max_tokens: 5,
        output_schema: { type: 'object' },
        output_key: 'k',
      },
    ],
  ])('%s', (keys, expected) => expect(kind(keys)).toEqual(expected));

  it('keeps the keys of an unknown type', () => {
    expect(kind('{ type: teleport, task: m, strategy: p, temperature: 0.2 }')).toEqual({
      type: 'teleport',
      task: 'm',
      strategy: 'p',
      temperature: 0.2,
    });
  });
});

describe('a condition node', () => {
  const expected = {
    type: 'condition',
    branches: [
      { condition: 'state.a > 1', target: 'x' },
      { condition: null, target: 'end' },
    ],
  };

  it.each([
    '{ type: condition, conditions: [{ if: state.a > 1, next: x }], default: end }',
    '{ type: branch, conditions: [{ when: state.a > 1, to: x }], default: end }',
    '{ type: condition, branches: [{ condition: state.a > 1, next: x }], default: end }',
    '{ type: condition, branches: [{ condition: state.a > 1, target: x }, { target: end }] }',
    '{ type: condition, branches: [{ if: state.a > 1, next: x }, { else: end }] }',
    '{ type: condition, branches: [{ if: state.a > 1, next: x }, end] }',
  ])('%s', (keys) => expect(kind(keys)).toEqual(expected));

  it('keeps a condition that YAML reads as a boolean as it is written', () => {
    expect(kind('{ type: condition, branches: [{ if: true, next: x }] }')).toEqual({
      type: 'condition',
      branches: [{ condition: 'true', target: 'x' }],
    });
  });

  it('has one default', () => {
    expect(problems(workflowOf('  n: { type: condition, branches: [x, y] }'))).toEqual(['3:39 error two_defaults']);
    expect(problems(workflowOf('  n: { type: condition, branches: [{ else: y }], default: z }'))).toEqual([
      '3:59 error two_defaults',
    ]);
  });

  it('does not mix "else" with a condition', () => {
    expect(problems(workflowOf('  n: { type: condition, branches: [{ if: a, next: x, else: y }] }'))).toEqual([
      '3:60 error given_twice',
    ]);
  });

  it('needs a target in every branch', () => {
    expect(problems(workflowOf('  n:\n    type: condition\n    branches:\n      - if: a'))).toEqual(['6:9 error missing_key']);
  });

  it('warns of a "next" beside its branches', () => {
    expect(problems(workflowOf('  n: { type: condition, branches: [x], next: y }'))).toEqual(['3:40 warning next_ignored']);
  });
});

describe('a parallel node', () => {
  it('has branches and a join', () => {
    expect(kind('{ type: parallel, branches: [a, b], join: c }')).toEqual({ type: 'parallel', branches: ['a', 'b'], join: 'c' });
    expect(kind('{ type: parallel, branches: [{ next: a }, b], join: end }')).toEqual({ type: 'parallel', branches: ['a', 'b'] });
  });

  it('warns of conditions, which it ignores', () => {
    expect(problems(workflowOf('  n: { type: parallel, branches: [{ if: x, next: a }, b] }'))).toEqual([
      '3:41 warning condition_ignored',
    ]);
  });

  it('warns of a "next", which starts with the branches', () => {
    expect(problems(workflowOf('  n: { type: parallel, branches: [a], next: b }'))).toEqual([
      '3:39 warning next_beside_branches',
    ]);
  });
});

describe('a join node', () => {
  it('cannot wait for the end', () => {
    expect(problems(workflowOf('  n: { type: join, wait_for: [done] }\n  done: { type: end }'))).toEqual([
      '3:31 error waits_for_end',
    ]);
  });
});

describe('a human approval', () => {
  it('has a description', () => {
    expect(kind('{ type: human_approval }')).toEqual({ type: 'human_approval', description: 'Approval required for n' });
    expect(kind('{ type: human_approval, message: Sure? }')).toEqual({ type: 'human_approval', description: 'Sure?' });
    expect(kind('{ type: human_approval, description: Sure? }')).toEqual({ type: 'human_approval', description: 'Sure?' });
  });

  it('has routes for its outcomes', () => {
    expect(kind('{ type: human_approval, on_approved: a, on_rejected: r, on_timeout: t, fallback: f, timeout: 48h }')).toEqual({
      type: 'human_approval',
      description: 'Approval required for n',
      on_approved: 'a',
      on_rejected: 'r',
      on_timeout: 't',
      fallback_node: 'f',
      timeout_secs: 172_800,
    });
  });
});

describe('a wait', () => {
  it.each([
    ['{ type: wait, event: e }', { correlation_key: 'e', condition: 'external_event' }],
    [
      '{ type: wait, event: e, timeout_hours: 24, on_timeout: t }',
      { correlation_key: 'e', condition: 'external_event', timeout_secs: 86_400, on_timeout: 't' },
    ],
    ['{ type: wait, event: e, timeout: 1d }', { correlation_key: 'e', condition: 'external_event', timeout_secs: 86_400 }],
    ['{ type: wait, event: e, duration: 10s }', { correlation_key: 'e', condition: 'either', timeout_secs: 10 }],
    [
      '{ type: wait, correlation_key: e, condition: either, timeout: 5 }',
      { correlation_key: 'e', condition: 'either', timeout_secs: 5 },
    ],
    ['{ type: wait, duration: 250ms }', { condition: 'timer', timeout_secs: 0.25 }],
    ['{ type: wait, duration_secs: 3 }', { condition: 'timer', timeout_secs: 3 }],
    ['{ type: wait, timeout: 3 }', { condition: 'timer', timeout_secs: 3 }],
    ['{ type: wait, timeout: 3, on_timeout: t }', { condition: 'external_event', timeout_secs: 3, on_timeout: 't' }],
    ['{ type: wait }', { condition: 'external_event' }],
    ['{ type: wait, until: 2026-12-24 }', { condition: 'timer', until: '2026-12-24' }],
    ['{ type: wait, duration: "{{ state.d }}" }', { condition: 'timer', until: '{{ state.d }}' }],
    [
      '{ type: wait, event: e, duration: "{{ state.d }}" }',
      { correlation_key: 'e', condition: 'either', until: '{{ state.d }}' },
    ],
    [
      '{ type: wait, event: e, timeout: "{{ state.d }}" }',
      { correlation_key: 'e', condition: 'external_event', until: '{{ state.d }}' },
    ],
    [
      '{ type: wait, event: e, until: "{{ state.d }}", on_timeout: t }',
      { correlation_key: 'e', condition: 'external_event', until: '{{ state.d }}', on_timeout: 't' },
    ],
  ])('%s', (keys, expected) => expect(kind(keys)).toEqual({ type: 'wait', ...expected }));

  it('has one duration', () => {
    expect(problems(workflowOf('  n: { type: wait, duration: 3, timeout: 4 }'))).toEqual(['3:30 error given_twice']);
    expect(problems(workflowOf('  n: { type: wait, duration: "{{ 3 }}", timeout: 4 }'))).toEqual(['3:30 error given_twice']);
  });
});
