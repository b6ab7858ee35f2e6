import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { InvalidWorkflow } from '../../../machines/diagnostics.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { condition, type EdgeSpec, join, type NodeSpec, parallel, tool, workflow } from '../../support/workflows.ts';

const agent = (id: string, more: JsonObject = {}): NodeSpec => ({
  id,
  kind: { type: 'agent', model_ref: 'gpt-4o', prompt: 'Go.', ...more },
});
const talk = (id: string): NodeSpec => agent(id, { conversation_key: 'talk' });

const faults = (nodes: readonly NodeSpec[], edges: readonly EdgeSpec[], options = {}) => {
  try {
    compile(workflow(nodes, edges), 'r', options);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidWorkflow)) throw error;
    return error.diagnostics;
  }
};
const codes = (...given: Parameters<typeof faults>) => faults(...given).map(({ code }) => code);

/** `a` and `b` in two branches that meet. */
const apart = (a: NodeSpec, b: NodeSpec): readonly [readonly NodeSpec[], readonly EdgeSpec[]] => [
  [parallel('both', [a.id, b.id]), a, b, join('meet', { wait_for: [a.id, b.id] })],
  [
    [a.id, 'meet'],
    [b.id, 'meet'],
  ],
];

describe('agents of one conversation in parallel branches', () => {
  it('are refused, with the place', () => {
    expect(faults(...apart(talk('a'), talk('b')))).toEqual([
      {
        severity: 'error',
        code: 'conversation_in_parallel',
        node_id: 'b',
        path: 'nodes.b.kind.conversation_key',
        message: '"a" and "b" have one conversation, state.talk, and may be active at once, in parallel branches after "both"',
        hint: expect.stringContaining('another conversation_key'),
      },
    ]);
    expect(codes(...apart(agent('a'), talk('b')))).toEqual([]);
    // A stored revision goes on as it did.
    expect(codes(...apart(talk('a'), talk('b')), { registered: true })).toEqual([]);
  });

  it('are refused in branches of a node with several edges, behind others, and in branches that cross', () => {
    const edges: EdgeSpec[] = [
      ['s', 'x'],
      ['s', 'y'],
      ['x', 'a'],
      ['y', 'b'],
    ];
    const nodes = [tool('s'), tool('x'), tool('y'), talk('a'), talk('b')];
    expect(codes(nodes, edges)).toEqual(['conversation_in_parallel']);
    const crossing: EdgeSpec[] = [
      ['x', 'z'],
      ['y', 'z'],
    ];
    expect(codes([...nodes, tool('z')], [...edges, ...crossing])).toEqual(['conversation_in_parallel']);
  });

  it('are refused when handoffs join them', () => {
    const nodes = [agent('desk', { handoff: ['a', 'b'] }), parallel('both', ['a', 'b']), agent('a'), agent('b')];
    expect(codes(nodes, [['desk', 'both']])).toEqual(['conversation_in_parallel']);
  });

  it('may come after each other, also in one branch, and beside others', () => {
    const [nodes, edges] = apart(talk('a'), tool('c'));
    expect(codes([...nodes, talk('b')], [...edges, ['meet', 'b']])).toEqual([]);
    expect(codes([...nodes, talk('b')], [...edges.filter(([from]) => from !== 'a'), ['a', 'b'], ['b', 'meet']])).toEqual([]);
  });

  it('may be alternatives, also after branches that have met', () => {
    const choice = condition('which', ['state.x', 'a'], [null, 'b']);
    expect(codes([choice, talk('a'), talk('b')], [])).toEqual([]);
    const [nodes, edges] = apart(tool('c'), tool('d'));
    expect(codes([...nodes, choice, talk('a'), talk('b')], [...edges, ['meet', 'which']])).toEqual([]);
  });

  it('may hand over to each other in one branch', () => {
    const desk = agent('desk', { handoff: ['expert'] });
    const expert = agent('expert', { handoff: ['desk'] });
    const [nodes, edges] = apart(desk, tool('c'));
    expect(codes([...nodes, expert], [...edges, ['expert', 'meet']])).toEqual([]);
  });

  it('may be many, one after the other, and are refused when to compare them would take long', () => {
    const ids = Array.from({ length: 600 }, (_, i) => `a${i}`);
    const line = ids.slice(1).map((id, i): EdgeSpec => [`a${i}`, id]);
    const nodes = Array.from({ length: 100 }, (_, i) => parallel(`p${i}`, [i < 99 ? `p${i + 1}` : 'a0', `q${i}`]));
    const ends = nodes.map((_, i) => tool(`q${i}`));
    expect(codes([...nodes, ...ends, ...ids.map(talk)], line)).toEqual([]);
    const choices = ids.map((id): readonly [string, string] => [`state.x == "${id}"`, id]);
    expect(codes([condition('which', ...choices, [null, 'other']), ...ids.map(talk), talk('other')], [])).toEqual([]);
    const many = Array.from({ length: 2_100 }, (_, i) => talk(`b${i}`));
    const all = many.slice(1).map((_, i): EdgeSpec => [`b${i}`, `b${i + 1}`]);
    expect(codes(many, all)).toEqual(['too_large']);
  });
});
