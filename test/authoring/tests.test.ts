import { describe, expect, it } from 'vitest';
import { checkTests, checkWorkflow } from '../../src/authoring/check.ts';

const NODES = `workflow: { id: w, version: 1.0.0 }
nodes:
  a: { type: tool, next: b }
  b: { type: wait, event: paid, timeout: 1h, next: c }
  c: { type: human_approval, on_approved: done }
  done: { type: end }
`;

function problems(tests: string): string[] {
  const { diagnostics } = checkWorkflow(`${NODES}${tests}`, 'w.yaml');
  return diagnostics.map(({ line, column, severity, code }) => `${line}:${column} ${severity} ${code}`);
}

describe('the tests of a workflow file', () => {
  it('are not part of the document', () => {
    const tests = 'tests:\n  - { name: t, results: { a: 1 }, expect: { status: paused } }\n';
    expect(checkWorkflow(NODES + tests, 'w.yaml')).toEqual(checkWorkflow(NODES, 'w.yaml'));
  });

  it('may have all kinds of answers', () => {
    const [{ tests }] = checkTests(
      `${NODES}tests:
  - name: all
    input: { n: 1 }
    results:
      a: [x, { fail: f }, { fail: f, retryable: false, error_class: io }, { output: { fail: f } }, { fail: f, more: 1 }, null]
      b: [{ event: { n: 1 } }, { event: null, at: early }, { event: 3, at: late }, timeout]
      c: [approve, reject, timeout, { approve: { user: ann, comment: ok, state_patch: { x: 1 } } }, { reject: true }]
    expect: { state: { n: 1 } }
  - expect: { error: boom }
`,
      'w.yaml',
    );
    expect(tests[0]).toMatchObject({ name: 'all', input: { n: 1 }, line: 8, column: 5, problems: [] });
    expect(tests[0]?.results.get('a')).toEqual([
      { type: 'output', output: 'x' },
      { type: 'fail', error: 'f', retryable: true, errorClass: null },
      { type: 'fail', error: 'f', retryable: false, errorClass: 'io' },
      { type: 'output', output: { fail: 'f' } },
      { type: 'output', output: { fail: 'f', more: 1 } },
      { type: 'output', output: null },
    ]);
    expect(tests[0]?.results.get('b')).toEqual([
      { type: 'event', payload: { n: 1 }, at: 'on_time' },
      { type: 'event', payload: null, at: 'early' },
      { type: 'event', payload: 3, at: 'late' },
      { type: 'timeout' },
    ]);
    const decided = { type: 'decide', userId: 'tester', comment: null, patch: null };
    expect(tests[0]?.results.get('c')).toEqual([
      { ...decided, decision: 'approved' },
      { ...decided, decision: 'rejected' },
      { type: 'timeout' },
      { type: 'decide', decision: 'approved', userId: 'ann', comment: 'ok', patch: { x: 1 } },
      { ...decided, decision: 'rejected' },
    ]);
    expect(tests[1]).toMatchObject({ name: 'test 2', input: {}, expect: { status: 'failed', error: 'boom', visited: null } });
  });

  it('report unknown keys with their positions', () => {
    expect(problems('tests:\n  - { nam: t, results: { d: 1 }, expect: { visited: [done], stats: x } }\n')).toEqual([
      '8:7 warning unknown_key',
      '8:26 warning bad_test',
      '8:54 warning bad_test',
      '8:61 warning bad_test',
    ]);
    expect(problems('tests:\n  - { results: { c: 3, b: approve }, expect: {} }\n')).toEqual([
      '8:21 warning bad_test',
      '8:27 warning bad_test',
    ]);
  });

  it.each([
    ['tests: 3', '7:8 error wrong_type'],
    ['tests: [5]', '7:9 error wrong_type'],
    ['tests: [[]]', '7:9 error wrong_type'],
    ['tests: [{ results: 3, expect: {} }]', '7:20 error wrong_type'],
    ['tests: [{ expect: { visited: a } }]', '7:30 error wrong_type'],
  ])('must have the right types: %s', (tests, problem) => {
    expect(problems(tests)).toEqual([problem]);
  });
});
