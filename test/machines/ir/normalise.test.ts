import { describe, expect, it } from 'vitest';
import { type Diagnostic, InvalidWorkflow } from '../../../machines/diagnostics.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { MAX_EDGES, MAX_KEYS, MAX_NODES } from '../../../machines/limits.ts';
import * as examples from '../../support/minimal-workflows.ts';

const work: JsonObject = { kind: { type: 'tool', tool_ref: 't' } };
const minimal: JsonObject = { workflow_id: 'w', version: '1', nodes: { a: work } };

const read = (document: unknown): Workflow => normalise(document).workflow;
const warningsOf = (document: unknown): readonly Diagnostic[] => normalise(document).diagnostics;

function errorsOf(document: unknown): readonly Diagnostic[] {
  try {
    normalise(document);
  } catch (error) {
    if (error instanceof InvalidWorkflow) return error.diagnostics;
    throw error;
  }
  return [];
}
const codesOf = (document: unknown): string[] => errorsOf(document).map((error) => error.code);
const withKeys = (keys: JsonObject): JsonObject => ({ ...minimal, ...keys });

describe('the minimal workflow of each kind', () => {
  it.each(Object.entries(examples))('%s has no warnings', (_name, document) => {
    const { workflow, diagnostics } = normalise(document);
    expect(diagnostics).toEqual([]);
    expect(workflow.source).toEqual(document);
  });

  it('a node of an unknown kind is refused', () => {
    expect(errorsOf(withKeys({ nodes: { think: { kind: { type: 'teleport', to: 'x' } } } }))).toEqual([
      expect.objectContaining({
        code: 'unknown_kind',
        node_id: 'think',
        message: 'node "think": kind "teleport" does not exist',
      }),
    ]);
  });
});

it.each(['__proto__', 'constructor', 'toString'])('a kind that is called %s is unknown', (type) => {
  expect(codesOf(withKeys({ nodes: { a: { kind: { type } } } }))).toEqual(['unknown_kind']);
});

describe('a workflow needs', () => {
  it('an id, a version and a node', () => {
    expect(errorsOf({}).map((error) => error.message)).toEqual([
      'ir.workflow_id is required',
      'ir.version is required',
      'ir.nodes is required',
    ]);
  });

  it.each([[null], [[]], ['text'], [5], [undefined], [() => 1]])('more than %j', (document) => {
    expect(codesOf(document)).toEqual(['not_an_object']);
  });

  it.each<[Json, string]>([
    ['1.0', '1.0'],
    [1, '1'],
    [0.1, '0.1'],
  ])('a version %j is "%s"', (version, expected) => {
    expect(read(withKeys({ version })).version).toBe(expected);
  });

  it.each(['workflow_id', 'version'])('%s may not be empty, null or of another type', (key) => {
    for (const value of ['', null]) {
      expect(errorsOf(withKeys({ [key]: value })).map((error) => error.message)).toEqual([`ir.${key} is required`]);
    }
    expect(codesOf(withKeys({ [key]: ['x'] }))).toContain('wrong_type');
    expect(codesOf(withKeys({ [key]: 'x'.repeat(257) }))).toEqual(['bad_name']);
    expect(codesOf(withKeys({ [key]: 'a\nb' }))).toEqual(['bad_name']);
  });
});

describe('an accepted spelling', () => {
  it('may omit all maps', () => {
    expect(read(minimal)).toMatchObject({
      start_node: 'a',
      edges: [],
      tools: {},
      labels: {},
      policy: null,
      token_budget: null,
      cost_budget_usd: null,
      on_budget_exceeded: null,
      state_schema: null,
    });
  });

  it.each<[string, Json, JsonObject | null]>([
    ['an object', { type: 'object' }, { type: 'object' }],
    ['its text', '{"type":"object"}', { type: 'object' }],
    ['a class name', 'my.module.State', null],
    ['an empty text', '', null],
    ['null', null, null],
  ])('of a state schema: %s', (_name, state_schema, expected) => {
    expect(read(withKeys({ state_schema })).state_schema).toEqual(expected);
  });

  it('of nodes: a map or a list', () => {
    const list = read(
      withKeys({
        nodes: [
          { id: 'b', ...work },
          { id: 'a', ...work },
        ],
      }),
    );
    expect(list.nodes.map((node) => node.id)).toEqual(['b', 'a']);
    const map = read(withKeys({ nodes: { b: work, a: { id: 'a', ...work } } }));
    expect(map.nodes).toEqual(list.nodes);
  });

  it('of an edge: condition or when, null or missing', () => {
    const edges = [
      { from: 'a', to: 'b', condition: 'state.x' },
      { from: 'a', to: 'c', when: 'state.y' },
      { from: 'a', to: 'd', condition: null },
      { from: 'a', to: 'e' },
    ];
    expect(read(withKeys({ edges })).edges.map((edge) => edge.condition)).toEqual(['state.x', 'state.y', null, null]);
  });

  it('of a duration: seconds, a text with a unit, or seconds and nanoseconds', () => {
    const timeouts = { node_timeout: 90, workflow_timeout: '1.5h', approval_timeout: { secs: 1, nanos: 500_000_000 } };
    expect(read(withKeys({ timeouts })).timeouts).toEqual({
      node_timeout: 90,
      workflow_timeout: 5400,
      approval_timeout: 1.5,
      heartbeat_interval: 30,
    });
  });

  it('keeps unknown keys', () => {
    const document = withKeys({ strategy_metadata: { a: [1] }, nodes: { a: { ...work, mine: { x: null } } } });
    expect(read(document).source).toEqual(document);
  });
});

describe('the start node', () => {
  it.each<[string, JsonObject, string]>([
    ['is the named one', { start_node: 'b' }, 'b'],
    ['is the only one without in-edges', { edges: [{ from: 'b', to: 'a' }] }, 'b'],
    ['is the first one when there are several', {}, 'a'],
    [
      'is the first one when there is none',
      {
        edges: [
          { from: 'a', to: 'b' },
          { from: 'b', to: 'a' },
        ],
      },
      'a',
    ],
  ])('%s', (_name, keys, expected) => {
    expect(read(withKeys({ nodes: { a: work, b: work }, ...keys })).start_node).toBe(expected);
  });

  it('is no node that another node names', () => {
    const nodes = { late: work, ask: { kind: { type: 'human_approval', on_timeout: 'late' } } };
    expect(read(withKeys({ nodes })).start_node).toBe('ask');
  });
});

describe('retries', () => {
  const retryOf = (node: JsonObject, retry_policies: JsonObject = {}) =>
    read(withKeys({ nodes: { a: { ...work, ...node } }, retry_policies })).nodes[0]?.retry;
  const standard = { max_attempts: 3, backoff: 'exponential', initial_delay: 1, max_delay: 30, jitter: false, retryable_on: [] };

  it('are three by default, with exponential delays from 1 to 30 seconds', () => {
    expect(retryOf({})).toEqual(standard);
  });

  it.each<[string, JsonObject]>([
    ['no_retry', { max_attempts: 1 }],
    ['fast', { max_attempts: 2, backoff: 'fixed', initial_delay: 1 }],
    ['io_default', { max_attempts: 5, backoff: 'exponential', initial_delay: 1, max_delay: 30, jitter: true }],
    ['llm_default', { max_attempts: 3, backoff: 'exponential', initial_delay: 2, max_delay: 60, jitter: true }],
  ])('%s is built in', (retry_policy, expected) => {
    expect(retryOf({ retry_policy })).toMatchObject(expected);
  });

  it('follow a named policy, which may replace a built-in one', () => {
    const quick = {
      max_attempts: 4,
      backoff: 'linear',
      initial_delay: 0,
      max_delay: 8,
      jitter: true,
      retryable_on: ['timeout', { custom: 'busy' }],
    };
    const expected = { ...quick, retryable_on: ['timeout', 'busy'] };
    expect(retryOf({ retry_policy: 'quick' }, { quick })).toEqual(expected);
    expect(retryOf({ retry_policy: 'fast' }, { fast: quick })).toEqual(expected);
  });

  it('with an unknown name are the default ones, with a warning', () => {
    expect(retryOf({ retry_policy: 'io_defalt' })).toEqual(standard);
    const nodes = { a: { ...work, retry_policy: 'io_defalt' } };
    expect(warningsOf(withKeys({ nodes }))).toEqual([
      expect.objectContaining({ severity: 'warning', code: 'unknown_retry_policy', hint: 'did you mean "io_default"?' }),
    ]);
  });

  it.each<[string, JsonObject, JsonObject]>([
    [
      'in milliseconds',
      { max_attempts: 5, backoff: 'constant', delay_ms: 250, max_delay_ms: 4000 },
      { max_attempts: 5, backoff: 'fixed', initial_delay: 0.25, max_delay: 4 },
    ],
    [
      'with units',
      { base_delay: '2s', max_delay: '1m', retryable_errors: ['timeout'] },
      { initial_delay: 2, max_delay: 60, retryable_on: ['timeout'] },
    ],
    ['by error class', { retry_on: ['io_error'] }, { retryable_on: ['io_error'] }],
    ['by status', { retry_on: [503, '429', 'timeout'] }, { retryable_on: ['503', '429', 'timeout'] }],
    [
      'by what the documentation calls them',
      { retry_on: ['model_overloaded', 'rate_limited', 'timeout', 'server_error'] },
      { retryable_on: ['model_overloaded', 'server_error', 'rate_limited', 'rate_limit', 'timeout'] },
    ],
    ['longer than the standard maximum', { initial_delay: 90 }, { initial_delay: 90, max_delay: 90 }],
    ['without a delay', { initial_delay: 0 }, { initial_delay: 0, max_delay: 30 }],
  ])('may be written inline: %s', (_name, retry, expected) => {
    expect(retryOf({ retry })).toEqual({ ...standard, ...expected });
    expect(retryOf({ retry_policy: retry })).toEqual({ ...standard, ...expected });
  });

  it('by a class that this runtime never assigns cause a warning', () => {
    const warned = (retry_on: JsonObject[string]) =>
      warningsOf(withKeys({ nodes: { a: { ...work, retry: { retry_on } } } })).map(({ code, path, hint }) => [code, path, hint]);
    expect(warned(['time_out', 503, { custom: 'busy' }])).toEqual([
      ['unknown_error_class', 'nodes.a.retry.retryable_on[0]', 'did you mean "timeout"?'],
    ]);
    expect(warned(['busy'])).toEqual([
      ['unknown_error_class', 'nodes.a.retry.retryable_on[0]', expect.stringContaining('classes: io_error')],
    ]);
    expect(warned(['rate_limit', 'rate_limited', '5xx', '404'])).toEqual([]);
  });

  it('inline change the named policy', () => {
    expect(retryOf({ retry_policy: 'io_default', retry: { max_attempts: 9 } })).toMatchObject({ max_attempts: 9, jitter: true });
  });

  it.each<[string, JsonObject]>([
    ['no attempt at all', { max_attempts: 0 }],
    ['half an attempt', { max_attempts: 1.5 }],
    ['a negative delay', { initial_delay: -1 }],
    ['an endless delay', { max_delay: 1e300 }],
    ['an unknown backoff', { backoff: 'random' }],
    ['an unnamed error class', { retryable_on: [5] }],
  ])('refuse %s', (_name, retry) => {
    expect(codesOf(withKeys({ nodes: { a: { ...work, retry } } }))).toEqual(['wrong_type']);
  });
});

describe('time limits', () => {
  const limitOf = (kind: JsonObject, node: JsonObject = {}, keys: JsonObject = {}) =>
    read(withKeys({ nodes: { a: { kind, ...node } }, ...keys })).nodes[0]?.timeout_secs;
  const tool = { type: 'tool', tool_ref: 't' };

  it('of work: that of the node, else of the workflow, else 300 seconds', () => {
    expect(limitOf(tool, { node_timeout_secs: 5 }, { timeouts: { node_timeout: 60 } })).toBe(5);
    expect(limitOf(tool, {}, { timeouts: { node_timeout: 60 } })).toBe(60);
    expect(limitOf(tool, {}, { timeouts: {} })).toBe(300);
    expect(limitOf(tool)).toBe(300);
    expect(limitOf({ ...tool, timeout: '2m' })).toBe(120);
  });

  it('of a child execution: that of the node, else none', () => {
    const child = { type: 'subgraph', workflow_ref: 'w2' };
    expect(limitOf(child, {}, { timeouts: { node_timeout: 60 } })).toBe(null);
    expect(limitOf(child, { node_timeout_secs: 5 })).toBe(5);
  });

  it('of an approval: its own, else the workflow’s', () => {
    const approvalOf = (kind: JsonObject) =>
      read(withKeys({ nodes: { a: { kind: { type: 'human_approval', ...kind } } }, timeouts: { approval_timeout: 60 } }))
        .nodes[0];
    expect(approvalOf({})).toMatchObject({ timeout_secs: null, kind: { timeout_secs: 60 } });
    expect(approvalOf({ timeout_secs: 5 })).toMatchObject({ timeout_secs: null, kind: { timeout_secs: 5 } });
  });

  it('are greater than 0', () => {
    for (const node_timeout_secs of [0, -1, 'soon', 1e300]) {
      expect(codesOf(withKeys({ nodes: { a: { ...work, node_timeout_secs } } }))).toEqual(['wrong_type']);
    }
  });
});

describe('what an exceeded budget does', () => {
  it.each([
    [{}, null, false],
    [{ on_budget_exceeded: 'pause' }, 'pause', false],
    [{ on_budget_exceeded: 'a' }, 'a', false],
    [{ continue_as_new: true }, null, true],
    [{ continue_as_new: false, on_budget_exceeded: null }, null, false],
  ])('is read from %j', (keys, on_budget_exceeded, continue_as_new) => {
    const document = withKeys({ ...keys, cost_budget_usd: 1 });
    expect(read(document)).toMatchObject({ on_budget_exceeded, continue_as_new });
    expect(codesOf(document)).toEqual([]);
  });

  it('has a warning when it has no effect', () => {
    const codes = (keys: JsonObject) => normalise(withKeys(keys)).diagnostics.map(({ code }) => code);
    expect(codes({ on_budget_exceeded: 'pause' })).toEqual(['no_budget']);
    expect(codes({ continue_as_new: true })).toEqual(['no_budget']);
    expect(codes({ continue_as_new: true, on_budget_exceeded: 'fail', cost_budget_usd: 1 })).toEqual(['no_effect']);
  });
});

describe('a feature that this runtime does not have', () => {
  it('is accepted in an entry of the tool catalog that no node calls', () => {
    const tools = { spare: 'http', other: { description: 'no kind' }, file: { kind: 'function', reference: './tools.mjs#t' } };
    expect(warningsOf(withKeys({ tools })).map(({ code, path }) => [code, path])).toEqual([
      ['unusable_tool', 'tools.spare'],
      ['unusable_tool', 'tools.other'],
    ]);
  });

  it('includes tools that name files', () => {
    expect(codesOf(withKeys({ tools: { t: { kind: 'function', reference: './tools.mjs#t' } } }))).toEqual(['local_tool']);
  });
});

describe('names', () => {
  it.each(['a.b', 'with space', '注文', 'ünïcode', '-', '0', 'toString'])('allow a node id %j', (id) => {
    expect(read(withKeys({ nodes: { [id]: work } })).nodes[0]?.id).toBe(id);
  });

  it.each(['', 'end', 'constructor', 'prototype', 'a\u0000b', 'x'.repeat(257)])('refuse a node id %j', (id) => {
    expect(codesOf(withKeys({ nodes: { [id]: work } }))).toEqual(['bad_name']);
  });

  it('refuse a key "__proto__" anywhere', () => {
    for (const text of ['{"nodes":{"__proto__":{}}}', '{"labels":{"a":{"__proto__":1}}}']) {
      expect(codesOf({ ...minimal, ...JSON.parse(text) })).toEqual(['bad_name']);
    }
  });

  it('of a node are the same in the map and in the node', () => {
    expect(codesOf(withKeys({ nodes: { a: { id: 'b', ...work } } }))).toEqual(['id_mismatch']);
    expect(
      codesOf(
        withKeys({
          nodes: [
            { id: 'a', ...work },
            { id: 'a', ...work },
          ],
        }),
      ),
    ).toEqual(['duplicate_node']);
    expect(codesOf(withKeys({ nodes: [work] }))).toEqual(['missing_key']);
  });
});

describe('a wrong type', () => {
  it.each<[string, JsonObject]>([
    ['nodes', { nodes: 'a' }],
    ['a node', { nodes: { a: 5 } }],
    ['a kind', { nodes: { a: { kind: 'tool' } } }],
    ['edges', { edges: {} }],
    ['an edge', { edges: ['a'] }],
    ['a condition', { edges: [{ from: 'a', to: 'end', condition: true }] }],
    ['the name', { name: 5 }],
    ['labels', { labels: { a: 1 } }],
    ['timeouts', { timeouts: 5 }],
    ['a policy', { policy: { blocked_tools: 'shell.*' } }],
    ['a budget', { token_budget: { total_tokens: -1 } }],
    ['a cost budget', { cost_budget_usd: '1' }],
    ['tools', { tools: { t: 'http' } }],
    ['models', { models: [] }],
    ['a state schema', { state_schema: 5 }],
    ['a policy of retries', { retry_policies: { a: 5 } }],
  ])('of %s is refused and never coerced', (_name, keys) => {
    const errors = errorsOf(withKeys(keys));
    expect(errors.map((error) => error.code)).toEqual(['wrong_type']);
    expect(errors[0]?.path).toEqual(expect.any(String));
  });

  it('is reported with all other problems', () => {
    const document = {
      workflow_id: 5,
      nodes: { a: { kind: { type: 'htp' } }, b: { kind: { type: 'http' } }, c: {} },
      edges: [{ to: 5 }],
    };
    expect(errorsOf(document).map(({ code, path, hint }) => [code, path, hint])).toEqual([
      ['wrong_type', 'workflow_id', null],
      ['missing_key', 'version', null],
      ['unknown_kind', 'nodes.a.kind.type', 'did you mean "http"?'],
      ['missing_key', 'nodes.b.kind.url', null],
      ['missing_key', 'nodes.c.kind', expect.stringContaining('kind')],
      ['missing_key', 'edges[0].from', null],
      ['wrong_type', 'edges[0].to', null],
    ]);
  });

  it('is listed a hundred times at most', () => {
    const nodes = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`n${i}`, { kind: { type: 'nonsense' } }]));
    const errors = errorsOf(withKeys({ nodes }));
    expect(errors).toHaveLength(101);
    expect(errors.at(-1)?.message).toBe('… and 400 more errors');
  });
});

describe('sizes', () => {
  const nodes = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, work]));

  it(`at most ${MAX_NODES} nodes`, () => {
    expect(codesOf(withKeys({ nodes: nodes(MAX_NODES) }))).toEqual([]);
    expect(codesOf(withKeys({ nodes: nodes(MAX_NODES + 1) }))).toEqual(['too_many_nodes']);
  });

  it(`at most ${MAX_NODES} nodes with those of agents, of which no more are read`, () => {
    const tools = Array.from({ length: 600 }, (_, i) => `t${i}`);
    const agent = { kind: { type: 'agent', model_ref: 'm', prompt: 'x', tools, parallel_tool_calls: 8 } };
    const many = { ...nodes(1), a: agent, b: agent };
    expect(codesOf(withKeys({ nodes: many }))).toContain('too_many_nodes');
  });

  it('agents with tools are no tools of agents', () => {
    const agent = (tools: Json) => ({ type: 'agent', model_ref: 'm', prompt: 'x', tools });
    const nested = agent([{ name: 'inner', kind: agent(['t']) }]);
    expect(codesOf(withKeys({ nodes: { n: { kind: nested } } }))).toContain('nested_agent');
    const flat = agent([{ name: 'inner', kind: agent([]) }]);
    expect(codesOf(withKeys({ nodes: { n: { kind: flat } } }))).not.toContain('nested_agent');
  });

  it(`at most ${MAX_EDGES} edges`, () => {
    const edges = Array.from({ length: MAX_EDGES + 1 }, () => ({ from: 'a', to: 'end' }));
    expect(codesOf(withKeys({ edges }))).toEqual(['too_many_edges']);
  });

  it('at most 64 levels of nesting anywhere', () => {
    const text = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    const nested = (levels: number): unknown => JSON.parse(text(levels));
    expect(codesOf({ ...minimal, mine: nested(60) })).toEqual([]);
    expect(codesOf({ ...minimal, mine: nested(70) })).toEqual(['nesting_too_deep']);
    expect(codesOf({ ...minimal, mine: nested(10_000) })).toEqual(['nesting_too_deep']);
    expect(codesOf({ ...minimal, state_schema: text(10_000) })).toEqual(['nesting_too_deep']);
  });

  it('count shared parts of a document every time', () => {
    let bomb: unknown = ['x'];
    for (let i = 0; i < 30; i++) bomb = [bomb, bomb];
    expect(codesOf({ ...minimal, bomb })).toEqual(['too_large']);
  });

  it(`at most ${MAX_KEYS} keys of one object`, () => {
    const withKeysOf = (count: number) => ({
      ...minimal,
      extra: Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i])),
    });
    expect(codesOf(withKeysOf(MAX_KEYS + 1))).toEqual(['too_large']);
    expect(codesOf(withKeysOf(MAX_KEYS))).not.toContain('too_large');
  });

  it('refuse values that are not JSON', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    for (const mine of [() => 1, Number.NaN, new Date(), 1n, Symbol('s'), new Map()]) {
      expect(codesOf({ ...minimal, mine })).toEqual(['not_json']);
    }
    expect(codesOf({ ...minimal, circle })).toEqual(['nesting_too_deep']);
  });

  it('copy the document, so that later changes have no effect', () => {
    const document = structuredClone(minimal) as { nodes: Record<string, unknown> };
    const { source } = read(document);
    document.nodes.b = {};
    expect(source).toEqual(minimal);
  });
});

describe('a policy', () => {
  it('with a misspelt rule causes a warning', () => {
    expect(warningsOf(withKeys({ policy: { blocked_tool: ['shell.*'] } }))).toEqual([
      expect.objectContaining({
        code: 'unknown_policy_rule',
        path: 'policy.blocked_tool',
        hint: 'did you mean "blocked_tools"?',
      }),
    ]);
  });

  it('is read on the workflow and on nodes', () => {
    const rules = { blocked_tools: ['a'], require_approval_for: ['b'], model_allowlist: ['c'] };
    const workflow = read(withKeys({ policy: rules, nodes: { a: { ...work, policy: { blocked_tools: ['x'] } } } }));
    expect(workflow.policy).toEqual(rules);
    expect(workflow.nodes[0]?.policy).toEqual({ blocked_tools: ['x'], require_approval_for: [], model_allowlist: [] });
  });
});

describe('a data policy', () => {
  const withPolicy = (data_policy: Json) => withKeys({ data_policy });

  it('is read with its defaults, of the workflow and of nodes', () => {
    const nodes = {
      a: { ...work, data_policy: { pii_detectors: ['email', 'email'], redaction_mode: 'hash', retention_days: 7 } },
    };
    const workflow = read(withKeys({ data_policy: { pii_fields: ['$.patient.ssn'] }, nodes }));
    const byDefault = { pii_fields: [], pii_detectors: [], redaction_mode: 'mask', retain_prompts: false, retain_outputs: true };
    expect(workflow.data_policy).toEqual({ ...byDefault, pii_fields: ['$.patient.ssn'] });
    expect(workflow.nodes[0]?.data_policy).toEqual({
      ...byDefault,
      pii_detectors: ['email'],
      redaction_mode: 'hash',
      retention_days: 7,
    });
    expect(read(withKeys({})).data_policy).toBeNull();
  });

  it.each([
    ['no object', 'on', 'ir.data_policy must be an object'],
    ['an unknown detector', { pii_detectors: ['emial'] }, 'ir.data_policy.pii_detectors[0] "emial" is not a detector'],
    ['a text that is no path', { pii_fields: ['$.a['] }, 'ir.data_policy.pii_fields[0] "$.a[" is not a path'],
    ['the whole state', { pii_fields: ['$'] }, 'ir.data_policy.pii_fields[0] "$" names the whole state'],
    ['an unknown mode', { redaction_mode: 'blur' }, 'ir.data_policy.redaction_mode must be one of mask, hash, remove'],
    ['half a day', { retention_days: 0.5 }, 'ir.data_policy.retention_days must be a whole number from 1 to 36500'],
    ['a text for a flag', { retain_prompts: 'no' }, 'ir.data_policy.retain_prompts must be true or false'],
  ])('is refused with %s', (_what, policy, message) => {
    expect(errorsOf(withPolicy(policy)).map((error) => error.message)).toEqual([message]);
  });

  it('with a key that means nothing causes a warning', () => {
    expect(warningsOf(withPolicy({ pii_detector: ['email'] }))).toMatchObject([
      { code: 'unknown_key', path: 'data_policy.pii_detector', hint: 'did you mean "pii_detectors"?' },
    ]);
  });
});
