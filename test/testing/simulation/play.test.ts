import { describe, expect, it } from 'vitest';
import { failureReasons } from '../../../src/testing/report.ts';
import { examined } from '../examine-file.ts';

/** `name: passed`, or the reasons of the failure. */
function outcomes(nodes: string, tests: string): string[] {
  return examined(nodes, tests).tests.map(
    (result) => `${result.test.name}: ${result.passed ? 'passed' : failureReasons(result).join('; ')}`,
  );
}

describe('a test of a workflow', () => {
  const REFUND = `
  look_up: { type: tool, output_key: order, next: decide }
  decide: { type: condition, branches: [{ if: "state.order.total <= 50", next: pay }], default: review }
  review: { type: human_approval, timeout: 3d, on_approved: pay, on_rejected: decline, on_timeout: decline }
  pay: { type: tool, output_key: paid, retry: { max_attempts: 3 } }
  decline: { type: tool }`;

  it('passes if the run matches the expectation', () => {
    expect(
      outcomes(
        REFUND,
        `
  - name: small
    results: { look_up: { total: 5 }, pay: { reference: R } }
    expect: { visited: [look_up, decide, pay], not_visited: [review], state: { paid: { reference: R }, other: null } }
  - name: rejected
    results: { look_up: { total: 99 }, review: { reject: { comment: no, state_patch: { why: no } } } }
    expect: { visited_includes: [decline], state: { why: no, review: { comment: no } } }
  - name: without a decision
    results: { look_up: { total: 99 }, review: timeout }
    expect: { visited: [look_up, decide, review, decline] }
  - name: still open
    results: { look_up: { total: 99 } }
    expect: { status: paused, visited: [look_up, decide, review] }
  - name: at the third attempt
    results: { look_up: { total: 5 }, pay: [{ fail: busy }, { fail: busy }, { reference: R }] }
    expect: { state: { paid: { reference: R } } }
  - name: at no attempt
    results: { look_up: { total: 5 }, pay: { fail: busy } }
    expect: { error: busy, visited: [look_up, decide, pay] }
  - name: not worth another attempt
    results: { look_up: { total: 5 }, pay: [{ fail: gone, retryable: false }, { reference: R }] }
    expect: { status: failed, error: gone }`,
      ),
    ).toEqual([
      'small: passed',
      'rejected: passed',
      'without a decision: passed',
      'still open: passed',
      'at the third attempt: passed',
      'at no attempt: passed',
      'not worth another attempt: passed',
    ]);
  });

  it('reports how the run differs', () => {
    expect(
      outcomes(
        REFUND,
        `
  - name: wrong
    results: { look_up: { total: 99 }, review: approve, pay: { reference: R } }
    expect:
      status: failed
      visited: [look_up, pay]
      visited_includes: [decline]
      not_visited: [pay]
      error: boom
      state: { paid: { reference: S }, none: 1 }`,
      )[0],
    ).toBe(
      [
        'wrong: status: expected "failed", got "completed"',
        'error: expected "boom", got nothing',
        'visited: expected ["look_up","pay"], got ["look_up","decide","review","pay"]',
        'visited_includes: expected ["decline"], got ["look_up","decide","review","pay"]',
        'not_visited: expected ["pay"], got ["look_up","decide","review","pay"]',
        'state.paid.reference: expected "S", got "R"',
        'state.none: expected 1, got nothing',
      ].join('; '),
    );
  });

  it('sends events early, on time and late', () => {
    const nodes = `
  a: { type: tool, next: paid }
  paid: { type: wait, event: payment, timeout: 1h, on_timeout: again, next: end }
  again: { type: wait, event: payment, next: end }`;
    expect(
      outcomes(
        nodes,
        `
  - { name: in time, results: { paid: { event: { sum: 3 } } }, expect: { visited: [a, paid], state: { sum: 3 } } }
  - { name: early, results: { paid: { event: { sum: 4 }, at: early } }, expect: { visited: [a, paid], state: { sum: 4 } } }
  - { name: late, results: { paid: { event: { sum: 5 }, at: late } }, expect: { visited: [a, paid, again], state: { sum: 5 } } }
  - { name: never, results: { paid: { timeout: true } }, expect: { status: paused, visited: [a, paid, again] } }
  - { name: still, expect: { status: paused, visited: [a, paid] } }`,
      ),
    ).toEqual(['in time: passed', 'early: passed', 'late: passed', 'never: passed', 'still: passed']);
  });

  it('scripts children, work awaiting approval, loops and outputs that look like replies', () => {
    const nodes = `
  child: { type: subgraph, workflow: other, output_key: child, next: gated }
  gated: { type: tool, output_key: gated, policy: { require_approval_for: ['*'] }, next: round }
  round: { type: tool, output_key: round, next: [{ when: "state.round.n < 3", to: round }, { else: nap }] }
  nap: { type: wait, duration: 5m }`;
    expect(
      outcomes(
        nodes,
        `
  - name: all of it
    results:
      child: { rating: A }
      gated: [approve, { output: { fail: x } }]
      round: [{ n: 1 }, { n: 2 }, { n: 3 }]
    expect: { visited: [child, gated, round, round, round, nap], state: { child: { rating: A }, gated: approve } }
  - name: decided in so many words
    results:
      gated: [{ approve: {} }, { output: { fail: x } }]
      round: { n: 3 }
    expect: { state: { gated: { fail: x } } }
  - name: forever
    results: { gated: { approve: {} } , round: { n: 0 } }
    expect: { status: completed }`,
      ).slice(1),
    ).toEqual(['decided in so many words: passed', expect.stringMatching(/^forever: the run did not end within 2,000 steps/)]);
  });

  it('fails if the test itself is invalid, and runs the other tests', () => {
    const result = examined(
      REFUND,
      `
  - name: misspelt
    results: { look_upp: {}, decide: {}, review: { output: 1 } }
    expect: { statuss: x, visited: [look_up, dcide], status: done }
  - name: nothing
    resluts: {}`,
    );
    expect(result.workflow).not.toBeNull();
    expect(result.tests.map(({ test }) => test.problems)).toEqual([
      [
        'there is no node "look_upp"',
        '"decide" decides by itself and has no result',
        '"review" is answered by "approve", "reject", "timeout", not by output',
        '"status" is one of completed, failed, paused, running, limit_exceeded',
        'there is no node "dcide"',
        '"statuss" cannot be expected',
      ],
      ['has no expectation', '"resluts" is unknown here'],
    ]);
    expect(result.tests.every(({ passed }) => !passed)).toBe(true);
    expect(result.diagnostics.map(({ line, severity, code, hint }) => [line, severity, code, hint])).toContainEqual([
      12,
      'warning',
      'bad_test',
      'did you mean "look_up"?',
    ]);
  });

  it('computes the coverage of the tests', () => {
    const { coverage } = examined(
      REFUND,
      '\n  - { results: { look_up: { total: 5 } }, expect: { status: completed } }\n  - { results: { look_up: { total: 99 }, review: approve }, expect: {} }',
    );
    expect(coverage).toMatchObject({
      nodes: { covered: 4, total: 5, missing: ['decline'] },
      branches: { covered: 5, total: 8, missing: ['review (rejected)', 'review (timeout)', 'decline'] },
      paths: { covered: 2, total: 4 },
      percent: 62,
    });
  });
});
