import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { InvalidWorkflow } from '../../../machines/diagnostics.ts';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { Driver } from '../../support/driver.ts';
import {
  approval,
  condition,
  type EdgeSpec,
  first,
  join,
  type NodeSpec,
  parallel,
  retried,
  tool,
  wait,
  workflow,
} from '../../support/workflows.ts';

const states = (config: JsonObject): string[] => Object.keys(config.states as JsonObject);
const state = (config: JsonObject, ...path: string[]): JsonObject =>
  path.reduce((inside, key) => (inside.states as JsonObject)[key] as JsonObject, config);

/** Nested pairs of branches of the given depth, with tools inside; each pair meets in a join. */
function nested(depth: number): Workflow {
  const nodes: NodeSpec[] = [];
  const edges: EdgeSpec[] = [];
  const add = (id: string, left: number): string => {
    if (left === 0) {
      nodes.push(tool(id));
      return id;
    }
    nodes.push(parallel(id, [`${id}a`, `${id}b`]));
    const ends = ['a', 'b'].map((side) => add(`${id}${side}`, left - 1));
    nodes.push(join(`${id}j`));
    for (const end of ends) edges.push([end, `${id}j`]);
    return `${id}j`;
  };
  add('n', depth);
  return workflow(nodes, edges);
}

describe('a config', () => {
  it('names its states after the nodes and starts at the first', () => {
    const { config } = compile(
      workflow(
        [tool('fetch'), approval('review'), tool('mail')],
        [
          ['fetch', 'review'],
          ['review', 'mail'],
        ],
      ),
      'r',
    );
    expect(config.initial).toBe('fetch');
    expect(states(config)).toEqual([
      'fetch',
      'review',
      'mail',
      'run:finish',
      'end:completed',
      'end:failed',
      'end:cancelled',
      'end:limit_exceeded',
    ]);
    expect(state(config, 'review').tags).toEqual(['parked']);
    expect(state(config, 'fetch')).toEqual({
      id: 'fetch',
      tags: ['busy'],
      meta: { node: 'fetch', kind: 'tool' },
      entry: [{ type: 'begin', params: { node: 'fetch' } }],
      on: {
        done: [
          {
            guard: { type: 'at', params: { node: 'fetch' } },
            target: '#review',
            actions: [{ type: 'complete', params: { node: 'fetch' } }],
          },
        ],
        fail: [
          {
            guard: { type: 'at', params: { node: 'fetch' } },
            target: '#run:finish',
            actions: [{ type: 'fail', params: { node: 'fetch' } }],
          },
        ],
        claimed: { guard: { type: 'at', params: { node: 'fetch' } }, actions: [{ type: 'claimed', params: { node: 'fetch' } }] },
        requeue: { guard: { type: 'at', params: { node: 'fetch' } }, target: '#fetch', reenter: true },
      },
    });
  });

  it('has guarded transitions with the conditions of a choice', () => {
    const { config } = compile(
      workflow([condition('gate', ['state.vip', 'big'], [null, 'small']), tool('big'), tool('small')]),
      'r',
    );
    const always = state(config, 'gate').always as JsonObject[];
    expect(always.map(({ guard, target }) => [guard, target])).toEqual([
      [{ type: 'when', params: { node: 'gate', expr: 'state.vip' } }, '#big'],
      [{ type: 'exceeded', params: { node: 'gate' } }, '#run:finish'],
      [undefined, '#small'],
    ]);
  });

  it('has a parallel state with one region per branch for a fan-out whose branches do not touch', () => {
    const { config } = compile(
      workflow(
        [parallel('split', ['a', 'b']), tool('a'), tool('b'), tool('b2'), join('merge')],
        [
          ['a', 'merge'],
          ['b', 'b2'],
          ['b2', 'merge'],
        ],
      ),
      'r',
    );
    expect(states(config).slice(0, 3)).toEqual(['split', 'fork:split', 'merge']);
    expect(states(state(config, 'fork:split'))).toEqual(['branch:split:a', 'branch:split:b']);
    expect(states(state(config, 'fork:split', 'branch:split:b'))).toEqual(['b', 'b2', 'joined:', 'ended:', 'failed:']);
  });

  it('nests forks, even if they share a join', () => {
    const made = workflow(
      [parallel('s', ['a', 'b']), parallel('a', ['c', 'd']), tool('b'), tool('c'), tool('d'), join('j')],
      [
        ['b', 'j'],
        ['c', 'j'],
        ['d', 'j'],
      ],
    );
    const { config } = compile(made, 'r');
    expect(states(state(config, 'fork:s', 'branch:s:a', 'fork:a'))).toEqual(['branch:a:c', 'branch:a:d']);
    const driver = new Driver(made);
    for (const id of ['b', 'c', 'd']) driver.done(id, id);
    expect(driver.run.status).toBe('completed');
    expect(driver.all('node_completed').at(-1)?.data.output).toEqual({
      outputs: ['b', 'c', 'd'],
      by_source: { b: 'b', c: 'c', d: 'd' },
    });
  });

  it('has lanes with join guards for branches that cross, and plain states elsewhere', () => {
    const made = workflow(
      [tool('head'), parallel('s', ['a', 'b']), tool('a'), tool('b'), tool('x'), tool('y'), join('j'), tool('tail')],
      [
        ['head', 's'],
        ['a', 'x'],
        ['b', 'x'],
        ['b', 'y'],
        ['x', 'j'],
        ['y', 'j'],
        ['j', 'tail'],
      ],
    );
    const { config } = compile(made, 'r');
    expect(states(config).slice(0, 5)).toEqual(['head', 's', 'subgraph:s', 'j', 'tail']);
    const subgraph = state(config, 'subgraph:s');
    expect(subgraph.meta).toEqual({ subgraph: 's', join: 'j' });
    expect(
      states(subgraph)
        .flatMap((lane) => states(state(subgraph, lane)))
        .filter((key) => key.startsWith('guard:')),
    ).toEqual(['guard:a', 'guard:x', 'guard:b', 'guard:y']);
  });

  const [c1, c2] = [condition('c1', [null, 'n']), condition('c2', [null, 'n'])];
  it.each<[string, readonly NodeSpec[]]>([
    ['a first-wins join', [first('n')]],
    ['a node that reads its last input', [tool('n', { input_mapping: { x: '{{ last }}' } })]],
  ])('has lanes for branches of control nodes that reach %s at once: the order in which they were written counts', (_, to) => {
    const made = workflow([tool('a'), parallel('p', ['c2', 'c1']), c1, c2, ...to], [['a', 'p']]);
    const logs = [true, false].map((forks) => {
      const driver = new Driver(made, { compile: { forks } });
      driver.done('a', { x: 1 });
      return driver.log;
    });
    expect(logs[0]).toEqual(logs[1]);
    expect(logs[0]?.map(({ node_id }) => node_id).slice(4, 8)).toEqual(['p', 'c1', 'c2', 'n']);
  });

  it('takes all lanes of a subgraph back to the head of a loop that goes through them', () => {
    const made = workflow(
      [parallel('s', ['head', 'q']), ...['head', 'a', 'b', 'q', 'last', 'x', 'y'].map((id) => tool(id)), join('both')],
      [
        ['head', 'a'],
        ['head', 'b'],
        ['a', 'both'],
        ['b', 'both'],
        ['both', 'last'],
        ['last', 'head', 'output.again'],
        ['last', 'x'],
        ['q', 'x'],
        ['q', 'y'],
      ],
    );
    const driver = new Driver(made);
    for (const again of [true, true, false]) {
      driver.done('head');
      expect(driver.activeNodes).toEqual(['a', 'b', 'q']);
      driver.done('a');
      driver.done('b');
      driver.done('last', { again });
    }
    driver.done('q');
    expect(driver.activeNodes).toEqual(['x', 'y']);
  });

  it('names what is skipped around a subgraph only where nodes may be left out', () => {
    const made = workflow(
      [parallel('s', ['a', 'b']), tool('a'), tool('b'), tool('x'), tool('y'), join('j'), tool('tail')],
      [
        ['a', 'x'],
        ['b', 'x'],
        ['b', 'y'],
        ['x', 'j'],
        ['y', 'j'],
        ['j', 'tail'],
      ],
    );
    const text = JSON.stringify(compile(made, 'r').config);
    // Where it ends without its join, the join and what follows.
    expect(text.match(/"skip":\{"subgraph"[^}]*\}/g)).toEqual(['"skip":{"subgraph":"s","to":[]}']);
  });

  it('has states for retries, approvals of policies and timers', () => {
    const { config } = compile(
      workflow(
        [
          { ...retried('pay', 'twice'), policy: { require_approval_for: ['*'] } },
          wait('w', { condition: 'timer', timeout_secs: 1.5 }),
        ],
        [['pay', 'w']],
      ),
      'r',
    );
    expect(config.initial).toBe('approval:pay');
    expect(state(config, 'retry:pay').after).toEqual({ backoff: { target: '#pay' } });
    expect(Object.keys(state(config, 'w').after as JsonObject)).toEqual(['1500']);
  });

  it('is the same for the same workflow', () => {
    const make = () =>
      compile(
        workflow(
          [parallel('s', ['a', 'b']), tool('a'), tool('b'), first('j')],
          [
            ['a', 'j'],
            ['b', 'j'],
          ],
        ),
        'r',
      ).config;
    expect(JSON.stringify(make())).toBe(JSON.stringify(make()));
  });
});

describe('compiling', () => {
  it('refuses a graph with all of its errors', () => {
    const broken = workflow([tool('a', { fallback_node: 'ghost' })], [['a', 'nowhere']]);
    expect(() => compile(broken, 'r')).toThrow(InvalidWorkflow);
    expect(() => compile(broken, 'r')).toThrow(/nowhere.*ghost/);
  });

  it.each([
    ['too many branches', () => workflow([parallel('s', names(2_000)), ...names(2_000).map((id) => tool(id))])],
    [
      'too many branches that cross',
      () =>
        workflow(
          [parallel('s', names(600)), ...names(600).map((id) => tool(id)), ...names(600).map((id) => tool(`x${id}`))],
          names(600).flatMap(
            (id, i) =>
              [
                [id, `x${id}`],
                [id, `x${names(600)[(i + 1) % 600]}`],
              ] as const,
          ),
        ),
    ],
    ['fan-outs inside each other that start hundreds of control nodes at once', () => nested(8)],
  ])('refuses %s with a clear error', (_, make) => {
    try {
      compile(make(), 'r');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidWorkflow);
      expect((error as InvalidWorkflow).diagnostics.map(({ code }) => code)).toEqual(['too_large']);
    }
  });

  it('accepts smaller graphs, and larger ones that are registered already', () => {
    expect(compile(nested(6), 'r').workflow.nodes).toHaveLength(190);
    expect(compile(nested(8), 'r', { registered: true }).workflow.nodes).toHaveLength(766);
  });
});

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}`);
