import { describe, expect, it } from 'vitest';
import { compiled, edges, problems, workflowOf } from './compile.ts';

describe('"next"', () => {
  it('names a node', () => expect(edges(workflowOf('  a: { next: b }\n  b: {}'))).toEqual(['a → b', 'b → end']));

  it('names several nodes that all start', () => {
    expect(edges(workflowOf('  a: { next: [b, c, end] }\n  b: {}\n  c: {}')).slice(0, 3)).toEqual(['a → b', 'a → c', 'a → end']);
  });

  it.each([
    '[{ when: state.x, to: b }, { else: c }]',
    '[{ if: state.x, next: b }, { default: c }]',
    '[{ condition: state.x, target: b }, c]',
    '[{ when: state.x, to: b }, { to: c }]',
  ])('chooses by condition: %s', (next) => {
    expect(edges(workflowOf(`  a: { next: ${next} }\n  b: {}\n  c: {}`)).slice(0, 2)).toEqual(['a → b if state.x', 'a → c']);
  });

  it('accepts a single choice without a list', () => {
    expect(edges(workflowOf('  a: { next: { when: state.x, to: b } }\n  b: {}'))).toEqual(['a → b if state.x', 'b → end']);
  });

  it('may lead back', () =>
    expect(edges(workflowOf('  a: { next: [{ when: x, to: a }, end] }'))).toEqual(['a → a if x', 'a → end']));

  it('must be a node or a list of them', () => {
    expect(problems(workflowOf('  a: { next: [[b]] }'))).toEqual(['3:15 error wrong_type']);
    expect(problems(workflowOf('  a: { next: [{ when: x }] }'))).toEqual(['3:15 error missing_key']);
    expect(problems(workflowOf('  a: { next: [{ when: x, to: end, fro: y }] }'))).toEqual(['3:35 warning unknown_key']);
  });
});

describe('a node without "next"', () => {
  it('leads to the end', () => expect(edges(workflowOf('  a: {}'))).toEqual(['a → end']));

  it('leads to its branches only', () => {
    expect(edges(workflowOf('  a: { type: condition, branches: [{ if: x, next: b }], default: end }\n  b: {}'))).toEqual([
      'b → end',
    ]);
    expect(edges(workflowOf('  a: { type: parallel, branches: [b] }\n  b: {}'))).toEqual(['b → end']);
  });

  it('leads to the end from a condition without branches', () => {
    expect(edges(workflowOf('  a: { type: condition, next: [{ when: x, to: b }, { else: end }] }\n  b: {}'))).toEqual([
      'a → b if x',
      'a → end',
      'b → end',
    ]);
  });

  it('leads to the join as the first of a branch', () => {
    const text = workflowOf(
      '  a: { type: parallel, branches: [b, c, d], join: e }\n  b: {}\n  c: { next: end }\n  d: { next: e }\n  e: {}',
    );
    expect(edges(text)).toEqual(['b → e', 'c → end', 'd → e', 'e → end']);
  });

  it('leads to the target of on_approved', () => {
    expect(edges(workflowOf('  a: { type: human_approval, on_approved: b, on_rejected: b }\n  b: {}'))).toEqual(['b → end']);
    expect(edges(workflowOf('  a: { type: human_approval, on_rejected: b }\n  b: {}'))).toEqual(['a → end', 'b → end']);
  });

  it('has no edge when it ends the execution', () => expect(edges(workflowOf('  a: { type: limit_exceeded }'))).toEqual([]));

  it('causes a warning when its branch misses the join', () => {
    const nodes = (last: string) =>
      workflowOf(
        `  a: { type: parallel, branches: [b, c], join: e }\n  b: { next: d }\n  c: {}\n  d: ${last}\n  e: { type: join }`,
      );
    expect(problems(nodes('{}'))).toEqual(['6:3 warning branch_misses_join']);
    expect(problems(nodes('{ next: e }'))).toEqual([]);
    expect(problems(nodes('{ next: end }'))).toEqual([]);
  });

  it('causes no warning when the join waits for it by name', () => {
    expect(
      problems(
        workflowOf(
          '  a: { type: parallel, branches: [b], join: e }\n  b: { next: d }\n  d: {}\n  e: { type: join, wait_for: [d] }',
        ),
      ),
    ).toEqual([]);
  });
});

describe('a node of type "end"', () => {
  const text = workflowOf(`  a: { next: [{ when: x, to: good }, { else: bad }] }
  b: { type: human_approval, on_approved: good, on_rejected: bad, on_timeout: good, fallback: bad }
  c: { type: condition, branches: [{ if: x, next: good }], default: bad }
  d: { type: parallel, branches: [a, good], join: bad }
  good: { type: end }
  bad: { type: end, description: nothing more }`);

  it('is not in the document', () => expect(Object.keys(compiled(text).nodes as object)).toEqual(['a', 'b', 'c', 'd']));

  it('is the target "end" everywhere', () => {
    expect(JSON.stringify(compiled(text))).not.toMatch(/good|bad/);
    expect(compiled(text)).toMatchObject({
      edges: [{ to: 'end' }, { to: 'end' }],
      nodes: {
        b: { kind: { on_approved: 'end', fallback_node: 'end' } },
        c: { kind: { branches: [{ target: 'end' }, { target: 'end' }] } },
      },
    });
  });

  it('may be called "end"', () => expect(edges(workflowOf('  a: { next: end }\n  end: { type: end }'))).toEqual(['a → end']));

  it('has no other keys', () => {
    expect(problems(workflowOf('  a: {}\n  z: { type: end, next: a, output_key: k }'))).toEqual([
      '4:19 warning unknown_key',
      '4:28 warning unknown_key',
    ]);
  });

  it('cannot be the start node', () => {
    expect(problems('workflow: { id: w, start: z }\nnodes: { a: {}, z: { type: end } }')).toEqual(['1:27 error starts_at_end']);
  });
});
