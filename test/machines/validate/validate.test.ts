import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { validate } from '../../../machines/validate/index.ts';
import * as minimal from '../../support/minimal-workflows.ts';
import { sampleOf } from '../../support/properties.ts';

const tool = (more: JsonObject = {}): JsonObject => ({ kind: { type: 'tool', tool_ref: 't', ...more } });
const document = (
  nodes: JsonObject,
  edges: readonly (readonly [string, string, string?])[] = [],
  more: JsonObject = {},
): JsonObject => ({
  workflow_id: 'w',
  version: '1',
  start_node: Object.keys(nodes)[0] ?? '',
  nodes,
  edges: edges.map(([from, to, condition]) => ({ from, to, condition: condition ?? null })),
  ...more,
});
const found = (value: unknown) =>
  validate(value).diagnostics.map(({ severity, code, node_id, path, hint }) => ({ severity, code, node_id, path, hint }));
const codes = (value: unknown) => validate(value).diagnostics.map((diagnostic) => diagnostic.code);

describe('a valid workflow', () => {
  const { model: _notYet, ...runnable } = minimal;

  it.each(Object.entries(runnable))('%s has no diagnostics', (_name, ir) => {
    const { workflow, diagnostics } = validate(ir);
    expect(diagnostics).toEqual([]);
    expect(workflow?.workflow_id).toBe(ir.workflow_id);
  });
});

describe('a map', () => {
  const map = (items: Json, work: JsonObject = { type: 'tool', tool_ref: 't' }) =>
    document({ m: { kind: { type: 'map', items, do: work } } });

  it.each([
    'customers of today',
    'Dear {{ state.name }}',
    '{{ state.a }} {{ state.b }}',
    '{{ state.a }',
    '{{ 5 }}',
    '"ada, bob"',
    '{a: 1}',
  ])('refuses items that are neither an expression nor a list: %s', (items) => {
    const { workflow, diagnostics } = validate(map(items));
    expect(workflow).toBe(null);
    expect(diagnostics).toMatchObject([{ severity: 'error', code: 'wrong_type', node_id: 'm', path: 'nodes.m.kind.items' }]);
    expect(diagnostics[0]?.message).toMatch(/^node "m": items must be an expression that gives a list, or a list/);
  });

  it.each([
    'state.customers',
    '{{ state.customers }}',
    'customers',
    '[1, 2]',
    'state.a + state.b',
    ['a', '{{ state.b }}'],
    ['a', 2],
    [],
  ])('takes %j as items', (items) => {
    expect(codes(map(items as Json))).toEqual([]);
  });

  it.each([
    ['another map', { type: 'map', items: 'item', do: { type: 'tool', tool_ref: 't' } }],
    ['an agent with tools', { type: 'agent', model_ref: 'm', prompt: 'Go.', tools: ['t'] }],
    ['a node that waits', { type: 'human_approval', description: 'Well?' }],
  ])('says of %s that a child workflow does it', (_name, work) => {
    const { diagnostics } = validate(map('state.list', work));
    expect(diagnostics.map(({ code }) => code)).toEqual(['bad_item_work']);
    expect(diagnostics[0]?.hint).toMatch(/a child workflow does it: .*"workflow"/);
  });
});

describe('errors', () => {
  it('of the document and of the graph are found together', () => {
    const ir = document(
      { fetch: { kind: { type: 'tol' } }, send: tool({ fallback_node: 'sned' }) },
      [
        ['fetch', 'sendd'],
        ['ghost', 'send'],
      ],
      {
        start_node: 'begin',
      },
    );
    const { workflow, diagnostics } = validate(ir);
    expect(workflow).toBe(null);
    expect(diagnostics.map(({ code, node_id, hint }) => [code, node_id, hint])).toEqual(
      expect.arrayContaining([
        ['unknown_kind', 'fetch', 'did you mean "tool"?'],
        ['unknown_target', 'fetch', 'did you mean "send"?'],
        ['unknown_target', 'send', 'did you mean "send"?'],
        ['unknown_source', null, expect.any(String)],
        ['unknown_start', null, expect.any(String)],
      ]),
    );
  });

  it('of an unreadable kind cause no errors of its edges', () => {
    expect(
      codes(
        document({ a: { kind: { type: 'teleport' } }, b: tool() }, [
          ['a', 'b'],
          ['b', 'end'],
        ]),
      ),
    ).toEqual(['unknown_kind']);
  });

  it('of the graph leave no workflow', () => {
    const spinning = document({ a: { kind: { type: 'condition' } }, b: { kind: { type: 'condition' } } }, [
      ['a', 'b'],
      ['b', 'a', 'state.x'],
    ]);
    expect(validate(spinning).workflow).toBe(null);
    expect(codes(spinning)).toContain('busy_loop');
  });

  it('include a mapping with thousands of expressions', () => {
    const ir = document({ a: tool({ input_mapping: { x: '{{ 1 }}'.repeat(2_001) } }) });
    expect(validate(ir).workflow).toBe(null);
    expect(codes(ir)).toEqual(['template_too_large']);
  });

  it.each([' '.repeat(10_001), '('.repeat(61), 'a'.repeat(9) + ' or a'.repeat(1_100)])(
    'a condition or template larger than any person writes is one',
    (long) => {
      const ir = document({ a: tool({ input_mapping: { x: `{{ ${long} }}` } }), b: tool() }, [
        ['a', 'b', long],
        ['b', 'end'],
      ]);
      expect(validate(ir).workflow).toBe(null);
      expect(codes(ir).sort()).toEqual(['condition_too_large', 'template_too_large']);
    },
  );
});

describe('sizes', () => {
  it('of all conditions and templates together are limited', () => {
    const input_mapping = { x: Array(1_990).fill('state.x') };
    const nodes = Object.fromEntries(Array.from({ length: 26 }, (_, i) => [`n${i}`, tool({ input_mapping })]));
    expect(codes(document(nodes)).filter((code) => code !== 'unreachable_node')).toEqual(['too_many_expressions']);
  });

  it('count branches and sources of joins as edges', () => {
    const names = Array.from({ length: 20_001 }, (_, i) => `n${i}`);
    for (const kind of [
      { type: 'parallel', branches: names },
      { type: 'join', wait_for: names },
    ]) {
      expect(codes(document({ a: { kind } }))[0]).toBe('too_many_edges');
    }
  });

  it('list errors beside a hundred warnings', () => {
    const lone = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`n${i}`, tool({ on_rejected: 'a' })]));
    const listed = codes(document({ ...lone, last: { kind: { type: 'nonsense' } } }));
    expect(listed.filter((code) => code === 'ignored_key')).toHaveLength(100);
    expect(listed.slice(-2)).toEqual(['unknown_kind', 'more_problems']);
  });
});

describe('warnings', () => {
  const warned = (ir: JsonObject): string[] => {
    const { workflow, diagnostics } = validate(ir);
    expect(workflow).not.toBe(null);
    expect(diagnostics.every((diagnostic) => diagnostic.severity === 'warning')).toBe(true);
    return diagnostics.map(({ code, node_id }) => `${code} ${node_id}`);
  };

  it('name a node that is never reached', () => {
    expect(warned(document({ a: tool(), lone: tool() }))).toEqual(['unreachable_node lone']);
  });

  it('name a condition node without a default', () => {
    const branches = [{ condition: 'state.x', target: 'a' }];
    expect(warned(document({ gate: { kind: { type: 'condition', branches } }, a: tool() }))).toEqual([
      'condition_without_default gate',
    ]);
    expect(warned(document({ gate: { kind: { type: 'condition' } }, a: tool() }, [['gate', 'a', 'state.x']]))).toEqual([
      'condition_without_default gate',
    ]);
    const withDefault = [...branches, { target: 'end' }];
    expect(warned(document({ gate: { kind: { type: 'condition', branches: withDefault } }, a: tool() }))).toEqual([]);
  });

  it('name a join that can never run', () => {
    expect(warned(document({ a: tool(), j: { kind: { type: 'join', wait_for: ['b'] } }, b: tool() }))).toEqual([
      'join_never_runs j',
      'unreachable_node b',
    ]);
    const stops = document({ stop: { kind: { type: 'limit_exceeded' } }, j: { kind: { type: 'join' } } }, [['stop', 'j']]);
    expect(warned(stops)).toEqual(['edge_ignored stop', 'join_never_runs j']);
  });

  it('name a join that waits for an unreachable node', () => {
    const ir = document({ a: tool(), j: { kind: { type: 'join', wait_for: ['a', 'b'] } }, b: tool() }, [['a', 'j']]);
    expect(warned(ir)).toEqual(['join_source_unreachable j', 'unreachable_node b']);
  });

  it('name conditions on the edges of a parallel node', () => {
    const ir = document({ split: { kind: { type: 'parallel', branches: ['a'] } }, a: tool(), b: tool() }, [
      ['split', 'b', 'state.x'],
    ]);
    expect(warned(ir)).toEqual(['parallel_condition_ignored split']);
  });

  it('name edges beside the branches of a condition node, except one to the end', () => {
    const branches = [{ target: 'a' }];
    const ir = document({ gate: { kind: { type: 'condition', branches } }, a: tool(), b: tool() }, [
      ['gate', 'end'],
      ['gate', 'a'],
      ['gate', 'b'],
    ]);
    expect(warned(ir)).toEqual(['edge_ignored gate', 'unreachable_node b']);
  });

  it('do not name edges that repeat a branch', () => {
    const branches = [{ condition: 'state.x', target: 'a' }, { condition: 'state.y', target: 'b' }, { target: 'end' }];
    const guard = (...edges: readonly (readonly [string, string, string?])[]) =>
      warned(document({ gate: { kind: { type: 'condition', branches } }, a: tool(), b: tool() }, edges));
    expect(guard(['gate', 'a', 'state.x == true'], ['gate', 'b', '{{ state.y }}'], ['gate', 'end'])).toEqual([]);
    expect(guard(['gate', 'a', 'state.y'])).toEqual(['edge_ignored gate']);
  });

  it('name an edge that an outcome claims, so that the normal outcome has none', () => {
    const parked = (kind: JsonObject, ...to: string[]): JsonObject =>
      document({ w: { kind }, a: tool(), b: tool() }, [...to.map((node) => ['w', node] as const), ['a', 'b']]);
    const wait = { type: 'wait', timeout_secs: 9, on_timeout: 'a' };
    expect(warned(parked(wait, 'a'))).toEqual(['edge_of_outcome_alone w']);
    expect(warned(parked({ type: 'human_approval', on_rejected: 'a' }, 'a'))).toEqual(['edge_of_outcome_alone w']);
    expect(warned(parked(wait, 'a', 'b'))).toEqual([]);
    expect(warned(parked({ type: 'human_approval', on_approved: 'a', on_rejected: 'a' }, 'a'))).toEqual([]);
    expect(warned(parked({ type: 'wait', fallback_node: 'a' }, 'a'))).toEqual([]);
  });

  it('name conditions that cannot be parsed', () => {
    const branches = [{ condition: 'state.x =', target: 'a' }, { target: 'b' }];
    const ir = document({ gate: { kind: { type: 'condition', branches } }, a: tool(), b: tool() }, [
      ['a', 'b', '(('],
      ['b', 'end'],
    ]);
    expect(found(ir)).toEqual([
      expect.objectContaining({ code: 'bad_condition', node_id: 'a', path: 'edges[0].condition' }),
      expect.objectContaining({ code: 'bad_condition', node_id: 'gate', path: 'nodes.gate.kind.branches[0].condition' }),
    ]);
  });

  it('name conditions that read facts of templates', () => {
    const branches = [{ condition: "execution.workflow_id == 'w' and node.id", target: 'a' }, { target: 'end' }];
    const ir = document({ gate: { kind: { type: 'condition', branches } }, a: tool() });
    expect(warned(ir)).toEqual(['fact_in_condition gate', 'fact_in_condition gate']);
  });

  it('name unknown functions, methods and filters', () => {
    const input_mapping = { a: '{{ size(state.x) }}', b: '{{ state.x.uper() }}', c: '{{ state.x | jion }}' };
    expect(found(document({ a: tool({ input_mapping }) })).map(({ code, hint }) => [code, hint])).toEqual([
      ['unknown_function', expect.stringContaining('len, int')],
      ['unknown_method', 'did you mean "upper"?'],
      ['unknown_filter', 'did you mean "join"?'],
    ]);
  });

  it('name templates that cannot be parsed', () => {
    const nodes = {
      a: tool({ input_mapping: { x: '{{ state..x }}', y: 'Hello {{ state.name' } }),
      b: { kind: { type: 'http', url: 'http://localhost/{{ )', headers: { x: '{{ ) }}' } } },
      c: { kind: { type: 'human_approval', description: '{{ ) }}?' } },
      d: { kind: { type: 'subgraph', workflow_ref: 'w2', output_mapping: { x: '{{ ) }}' } } },
    };
    const edges = [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'd'],
    ] as const;
    expect(found(document(nodes, edges)).map(({ code, path }) => [code, path])).toEqual([
      ['not_a_template', 'nodes.a.kind.input_mapping'],
      ['bad_template', 'nodes.a.kind.input_mapping'],
      ['not_a_template', 'nodes.b.kind.url'],
      ['bad_template', 'nodes.b.kind.headers'],
      ['bad_template', 'nodes.c.kind.description'],
      ['bad_template', 'nodes.d.kind.output_mapping'],
    ]);
  });
});

describe('a workflow that continues as another execution', () => {
  const loop = (more: JsonObject, nodes: JsonObject = {}, edges: readonly (readonly [string, string, string?])[] = []) =>
    document(
      {
        poll: tool(),
        check: { kind: { type: 'condition', branches: [{ condition: 'state.ready', target: 'end' }, { target: 'poll' }] } },
        ...nodes,
      },
      [['poll', 'check'], ...edges],
      more,
    );
  const continuing = (
    given: JsonObject,
    ...rest: [nodes?: JsonObject, edges?: readonly (readonly [string, string, string?])[]]
  ) => loop({ continue_as_new: given }, ...rest);

  it('names a limit and a node that every round of its loops visits', () => {
    expect(found(continuing({ after_steps: 5_000, at: 'poll' }))).toEqual([]);
    expect(found(continuing({ after_bytes: 1_000_000, at: 'poll' }))).toEqual([]);
  });

  it.each([
    [{ at: 'poll' }, 'missing_key', 'continue_as_new'],
    [{ after_steps: 5 }, 'missing_key', 'continue_as_new.at'],
    [{ after_steps: 0, at: 'poll' }, 'wrong_type', 'continue_as_new.after_steps'],
    [{ after_steps: 1_000_001, at: 'poll' }, 'wrong_type', 'continue_as_new.after_steps'],
    [{ after_bytes: 10, at: 'poll' }, 'wrong_type', 'continue_as_new.after_bytes'],
    [{ after_steps: 5, at: 'pol' }, 'unknown_target', 'continue_as_new.at'],
    [{ after_steps: 5, at: 'check' }, 'bad_continuation', 'continue_as_new.at'],
  ])('is told what is wrong with %j', (given, code, path) => {
    expect(found(continuing(given))).toMatchObject([{ severity: 'error', code, path }]);
  });

  it('is told of the node that was probably meant', () => {
    expect(found(continuing({ after_steps: 5, at: 'pol' }))[0]?.hint).toBe('did you mean "poll"?');
  });

  it('is warned of loops that go round without its node, and of limits that cannot be passed', () => {
    const aside = {
      other: tool(),
      again: { kind: { type: 'condition', branches: [{ condition: 'state.x', target: 'other' }, { target: 'poll' }] } },
    };
    const edges = [['other', 'again']] as const;
    const two = { ...continuing({ after_steps: 5, at: 'poll' }, aside, edges), start_node: 'other' };
    expect(found(two)).toMatchObject([
      { severity: 'warning', code: 'loop_not_continued', node_id: 'other', path: 'continue_as_new.at' },
    ]);
    expect(codes(document({ a: tool() }, [], { continue_as_new: { after_steps: 5, at: 'a' } }))).toEqual(['no_effect']);
    expect(codes(continuing({ after_steps: 20_000, at: 'poll' }))).toEqual(['step_limit_first']);
    expect(codes({ ...continuing({ after_steps: 20_000, at: 'poll' }), max_steps: 30_000 })).toEqual([]);
  });

  it('may have an agent as its node, whose own turns are no loop', () => {
    const agent = { kind: { type: 'agent', model: 'm', prompt: 'p', tools: [{ name: 'look', tool: 'look' }], max_messages: 20 } };
    expect(codes(document({ agent }))).toEqual([]);
    const round = document({ agent, wait: { kind: { type: 'wait', duration: '1s' } } }, [
      ['agent', 'wait'],
      ['wait', 'agent'],
    ]);
    expect(codes(round)).toEqual(['loop_without_bound']);
    expect(codes({ ...round, continue_as_new: { after_steps: 50, at: 'wait' } })).toEqual([]);
    expect(codes({ ...round, continue_as_new: { after_steps: 50, at: 'agent' } })).toEqual([]);
    expect(codes({ ...round, continue_as_new: { after_steps: 50, at: 'agent.look' } })).toEqual(['bad_continuation']);
  });

  it('is warned of an agent whose conversation has no limit, and no thread', () => {
    const round = (more: JsonObject) =>
      document(
        {
          agent: { kind: { type: 'agent', model: 'm', prompt: 'p', ...more } },
          wait: { kind: { type: 'wait', duration: '1s' } },
        },
        [
          ['agent', 'wait'],
          ['wait', 'agent'],
        ],
        { continue_as_new: { after_steps: 50, at: 'wait' } },
      );
    const warning = { severity: 'warning', code: 'conversation_grows', node_id: 'agent', path: 'nodes.agent.max_messages' };
    expect(found(round({}))).toMatchObject([{ ...warning, hint: 'add max_messages: 100, or a thread' }]);
    expect(codes(round({ max_messages: 100 }))).toEqual([]);
    expect(codes(round({ thread: 't' }))).toEqual([]);
  });
});

describe('a loop that nothing leads out of', () => {
  const endless = document({ a: tool(), b: tool() }, [
    ['a', 'b'],
    ['b', 'a'],
  ]);

  it('is a warning without max_steps and continue_as_new', () => {
    expect(found(endless)).toEqual([
      {
        severity: 'warning',
        code: 'loop_without_bound',
        node_id: 'a',
        path: 'nodes.a',
        hint: 'add continue_as_new: { after_steps: 5000, at: a }, max_steps, or an edge out of it',
      },
    ]);
    expect(codes({ ...endless, max_steps: 100_000 })).toEqual([]);
    expect(codes({ ...endless, continue_as_new: { after_steps: 5, at: 'b' } })).toEqual([]);
    expect(codes({ ...endless, max_steps: 2_000_000 })).toEqual(['wrong_type']);
  });

  it('is none if a condition, or the lack of one, leads out of it', () => {
    expect(
      codes(
        document({ a: tool(), b: tool() }, [
          ['a', 'b'],
          ['b', 'a', 'state.again'],
        ]),
      ),
    ).toEqual([]);
    expect(
      codes(
        document({ a: tool(), b: tool() }, [
          ['a', 'b'],
          ['b', 'a', 'state.again'],
          ['b', 'end'],
        ]),
      ),
    ).toEqual([]);
  });
});

describe('variables', () => {
  const nodes = {
    a: tool({ input_mapping: { id: 'state.ordr_id', ok: '{{ state.order_id }}' }, output_key: 'receipt' }),
    b: tool({ input_mapping: { x: '{{ state.receipt }} {{ state.a }} {{ input.any }}' } }),
    c: { kind: { type: 'subgraph', workflow_ref: 'w2', output_mapping: { total: 'state.whatever' } } },
    d: tool({ input_mapping: { x: 'state.total' } }),
  };
  const edges = [
    ['a', 'b'],
    ['b', 'c', 'state.nope'],
    ['b', 'd'],
    ['c', 'd'],
  ] as const;
  const withSchema = (state_schema: JsonObject | string) => document(nodes, edges, { state_schema });

  it.each<[string, JsonObject | string]>([
    ['a JSON schema', { type: 'object', properties: { order_id: { type: 'string' } } }],
    ['its text', '{"properties": {"order_id": {}}}'],
    ['a plain map of fields', { order_id: 'str' }],
  ])('that the state schema does not have are a warning: %s', (_name, schema) => {
    expect(found(withSchema(schema)).map(({ code, node_id, hint }) => [code, node_id, hint])).toEqual([
      ['unknown_variable', 'b', 'add it to the state schema'],
      ['unknown_variable', 'a', 'did you mean "order_id"?'],
    ]);
  });

  it.each<[string, JsonObject | string]>([
    ['says nothing', ''],
    ['has no properties', { type: 'object' }],
    ['allows others', { type: 'object', properties: { order_id: {} }, additionalProperties: true }],
    ['is a class name', 'orders.State'],
  ])('are not checked when the schema %s', (_name, schema) => {
    expect(codes(withSchema(schema))).toEqual([]);
  });
});

describe('properties', () => {
  const text = fc.oneof(
    fc.constantFrom('a', 'end', 'merge', 'tool', 'join', 'state.x', '{{ state.x }}', '__proto__', ''),
    fc.string(),
  );
  const value = fc.oneof(text, fc.jsonValue({ maxDepth: 2 }));
  const change = fc.record({ steps: fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }), value });

  /** Replaces the value at a path, whose steps are indices of keys or items. */
  const changed = (json: unknown, steps: readonly number[], replacement: unknown): unknown => {
    const [step, ...rest] = steps;
    if (step === undefined || json === null || typeof json !== 'object') return replacement;
    const entries: [string, unknown][] = Object.entries(json);
    const place = step % (entries.length + 1);
    const next = entries.map(([key, part], i): [string, unknown] => [key, i === place ? changed(part, rest, replacement) : part]);
    if (place === entries.length) next.push(['added', replacement]);
    return Array.isArray(json) ? next.map(([, part]) => part) : Object.fromEntries(next);
  };

  it('never throws, and returns a workflow if and only if there is no error', () => {
    const outcomes = new Set<boolean>();
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(minimal)), fc.array(change, { maxLength: 4 }), (ir, changes) => {
        const candidate = changes.reduce<unknown>((json, { steps, value }) => changed(json, steps, value), ir);
        const { workflow, diagnostics } = validate(candidate);
        expect(workflow === null).toBe(diagnostics.some((diagnostic) => diagnostic.severity === 'error'));
        outcomes.add(workflow !== null);
      }),
      { numRuns: sampleOf(1_000) },
    );
    expect(outcomes.size).toBe(2);
  });

  it('refuses what is no workflow', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (candidate) => {
        const { workflow, diagnostics } = validate(candidate);
        expect(workflow).toBe(null);
        expect(diagnostics.length).toBeGreaterThan(0);
      }),
    );
  });
});
