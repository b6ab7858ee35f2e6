import { describe, expect, it } from 'vitest';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import { analyse } from '../../support/analyse.ts';
import { cpuMs } from '../../support/cpu.ts';
import { approval, condition, first, join, parallel, tool, wait, workflow } from '../../support/workflows.ts';

const problems = (made: Workflow) => analyse(made).diagnostics.map(({ code, node_id }) => [code, node_id]);
const region = (made: Workflow, id: string) => {
  const { graph } = analyse(made);
  if (graph === null) throw new Error('not a valid graph');
  return [...graph.cancellationRegion(graph.indexOf(id) ?? -1)].map((node) => graph.idOf(node));
};

describe('names', () => {
  it('that do not exist are reported with the most similar name', () => {
    const made = workflow(
      [tool('fetch'), tool('send', { fallback_node: 'fetsh' })],
      [
        ['fetch', 'sned'],
        ['ghost', 'send'],
      ],
    );
    expect(analyse(made).diagnostics.map(({ code, node_id, hint }) => [code, node_id, hint])).toEqual([
      ['unknown_source', null, 'add the node, or correct the name'],
      ['unknown_target', 'fetch', 'did you mean "send"?'],
      ['unknown_target', 'send', 'did you mean "fetch"?'],
    ]);
  });

  it('of a missing start node are an error', () => {
    expect(problems(workflow([tool('a')], [], { start_node: 'b' }))).toEqual(
      [['unknown_start', 'b']].map(([code]) => [code, null]),
    );
  });
});

describe('reachability', () => {
  it('follows edges, branches, outcomes and wait_for', () => {
    const made = workflow(
      [
        condition('gate', ['state.x', 'yes'], [null, 'no']),
        tool('yes', { fallback_node: 'rescue' }),
        approval('no', { on_rejected: 'refused', timeout_secs: 9, on_timeout: 'late' }),
        tool('rescue'),
        tool('refused'),
        tool('late'),
        join('waiting', { wait_for: ['rescue'] }),
        tool('island'),
      ],
      [['island', 'yes']],
    );
    const { graph } = analyse(made);
    expect(made.nodes.map((node) => node.id).filter((_, i) => graph?.reachable.includes(i) === false)).toEqual(['island']);
  });

  it("adds an edge to a parallel's join from branches without edges", () => {
    const made = workflow(
      [parallel('split', ['a', 'b'], { join: 'merge' }), tool('a'), tool('b'), join('merge'), tool('c')],
      [['b', 'c']],
    );
    const { graph } = analyse(made);
    const sources = graph?.sources(graph.indexOf('merge') ?? -1).map((node) => graph.idOf(node));
    expect(sources).toEqual(['a']);
  });
});

describe('loops', () => {
  it('may iterate by a condition, a branch, an outcome or the only edge', () => {
    expect(
      problems(
        workflow(
          [tool('a'), tool('b')],
          [
            ['a', 'b'],
            ['b', 'a', 'state.more'],
          ],
        ),
      ),
    ).toEqual([]);
    expect(problems(workflow([tool('a'), condition('b', ['state.more', 'a'])], [['a', 'b']]))).toEqual([]);
    expect(problems(workflow([tool('a', { fallback_node: 'a' })]))).toEqual([]);
    expect(
      problems(
        workflow(
          [tool('a'), tool('b')],
          [
            ['a', 'b'],
            ['b', 'a'],
          ],
        ),
      ),
    ).toEqual([]);
  });

  it('may not iterate by an edge that is taken together with others', () => {
    expect(
      problems(
        workflow(
          [tool('a'), tool('b'), tool('c')],
          [
            ['a', 'b'],
            ['b', 'a'],
            ['b', 'c'],
          ],
        ),
      ),
    ).toEqual([['loop_in_fan_out', 'b']]);
    expect(problems(workflow([tool('a'), parallel('b', ['a', 'c']), tool('c')], [['a', 'b']]))).toContainEqual([
      'loop_in_fan_out',
      'b',
    ]);
  });

  it('must contain a node that works or waits', () => {
    const spinning = workflow([condition('a', ['state.x', 'b']), condition('b', ['state.y', 'a'])]);
    expect(problems(spinning)).toEqual([['busy_loop', 'a']]);
    expect(problems(workflow([condition('a', ['state.x', 'b']), wait('b')], [['b', 'a']]))).toEqual([]);
  });

  it('have a single entry', () => {
    const twice = workflow(
      [condition('a', ['state.x', 'b'], [null, 'c']), tool('b'), tool('c')],
      [
        ['b', 'c'],
        ['c', 'b', 'state.more'],
      ],
    );
    expect(problems(twice)).toEqual([['irreducible_loop', 'b']]);
  });

  it('may not leave a fan-out whose other branches may still run', () => {
    const nodes = [tool('head'), parallel('split', ['a', 'b']), tool('a'), tool('b'), join('merge')];
    const edges = [
      ['head', 'split'],
      ['a', 'merge'],
      ['b', 'merge'],
    ] as const;
    expect(problems(workflow(nodes, [...edges, ['a', 'head', 'state.more']]))).toEqual([['loop_leaves_parallel', 'a']]);
    expect(problems(workflow(nodes, [...edges, ['merge', 'head', 'state.more']]))).toEqual([]);
    expect(problems(workflow(nodes, [...edges, ['a', 'a', 'state.more']]))).toEqual([]);
  });
});

describe('joins', () => {
  it('cannot wait for themselves or for later nodes', () => {
    expect(problems(workflow([join('a', { wait_for: ['a'] })]))).toEqual([['join_waits_for_successor', 'a']]);
    const behind = workflow(
      [tool('s'), join('j', { wait_for: ['late'] }), tool('late')],
      [
        ['s', 'j'],
        ['j', 'late'],
      ],
    );
    expect(problems(behind)).toEqual([['join_waits_for_successor', 'j']]);
  });

  it('merge the nodes in wait_for first, then their other predecessors', () => {
    const made = workflow(
      [parallel('s', ['a', 'b', 'c']), tool('a'), tool('b'), tool('c'), join('j', { wait_for: ['c'] })],
      [
        ['a', 'j'],
        ['b', 'j'],
        ['c', 'j'],
      ],
    );
    const { graph } = analyse(made);
    expect(graph?.sources(4).map((node) => graph.idOf(node))).toEqual(['c', 'a', 'b']);
  });

  it('that take the first source cancel the nodes that lead only to them', () => {
    const nodes = [parallel('s', ['a', 'b', 'c']), tool('a'), tool('b'), tool('c'), tool('d'), first('j')];
    const edges = [
      ['a', 'j'],
      ['b', 'd'],
      ['d', 'j'],
      ['c', 'j'],
      ['c', 'end'],
    ] as const;
    expect(region(workflow(nodes, edges), 'j')).toEqual(['a', 'b', 'd']);
  });

  it('cancel a loop before them, and not the loop around them', () => {
    const before = workflow(
      [parallel('s', ['a', 'b']), tool('a'), tool('b'), first('j')],
      [
        ['a', 'a', 'state.more'],
        ['a', 'j'],
        ['b', 'j'],
      ],
    );
    expect(region(before, 'j')).toEqual(['s', 'a', 'b']);
    const around = workflow(
      [tool('h'), parallel('s', ['a', 'b']), tool('a'), tool('b'), first('j'), tool('t')],
      [
        ['h', 's'],
        ['a', 'j'],
        ['b', 'j'],
        ['j', 't'],
        ['t', 'h', 'state.more'],
      ],
    );
    expect(region(around, 'j')).toEqual(['h', 's', 'a', 'b']);
  });
});

describe('size', () => {
  it('of nested loops is limited', () => {
    const depth = 2_400;
    const nodes = Array.from({ length: 2 * depth }, (_, i) => tool(`n${i}`));
    const edges = nodes.slice(1).map((node, i) => [`n${i}`, node.id] as const);
    const backs = Array.from({ length: depth }, (_, i) => [`n${2 * depth - 1 - i}`, `n${i}`, 'state.more'] as const);
    expect(problems(workflow(nodes, [...edges, ...backs])).map(([code]) => code)).toEqual(['nesting_too_deep']);
  });

  it('of 5,000 nodes with a loop in every forty is analysed in time', () => {
    const nodes = Array.from({ length: 5_000 }, (_, i) => tool(`n${i}`));
    const onward = nodes.slice(1).map((node, i) => [`n${i}`, node.id] as const);
    const back = nodes.flatMap((node, i) => (i % 40 === 39 ? [[node.id, `n${i - 20}`, 'state.more'] as const] : []));
    const made = workflow(nodes, [...onward, ...back]);
    const tookMs = cpuMs(() => expect(analyse(made).graph?.loops.length).toBe(125));
    expect(tookMs).toBeLessThan(5_000);
  });
});
