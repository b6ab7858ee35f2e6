import { describe, expect, it } from 'vitest';
import { examined, found, paths } from '../examine-file.ts';

describe('exploring a workflow', () => {
  it('takes every branch, with outputs derived from the conditions', () => {
    const result = examined(`
  look_up: { type: tool, output_key: order, next: decide }
  decide:
    type: condition
    branches:
      - { if: "state.order.total <= 50 and state.order.kind in ['a', 'b']", next: pay }
      - { if: "len(state.order.items) > 3", next: ask }
    default: end
  pay: { type: tool }
  ask: { type: tool }`);
    expect(paths(result)).toEqual(
      expect.arrayContaining([
        "look_up → decide [state.order.total <= 50 and state.order.kind in ['a', 'b']] → pay → completed",
        'look_up → decide [len(state.order.items) > 3] → ask → completed',
        'look_up → decide [else] → completed',
      ]),
    );
    expect(paths(result)).toHaveLength(3);
    expect(found(result)).toEqual([]);
  });

  it('solves conditions on the output, the input, the environment and bare names', () => {
    const result = examined(`
  a:
    type: tool
    next:
      - { when: "output.ok", to: b }
      - { when: "input.mode == 'fast'", to: c }
      - { when: "env.REGION == 'eu'", to: d }
      - { when: "score > 0.5", to: e }
      - { else: end }
  b: { type: tool }
  c: { type: tool }
  d: { type: tool }
  e: { type: tool }`);
    for (const node of ['b', 'c', 'd', 'e']) expect(paths(result).some((path) => path.includes(`→ ${node} →`))).toBe(true);
  });

  it('approves, rejects and times out approvals', () => {
    const result = examined(`
  review: { type: human_approval, timeout: 3d, on_approved: pay, on_timeout: remind }
  pay: { type: tool, fallback: remind }
  remind: { type: tool }`);
    expect([...paths(result)].sort()).toEqual([
      'review (approved) → pay (failed) → remind → completed',
      'review (approved) → pay → completed',
      'review (rejected, unhandled) → failed',
      'review (timeout) → remind → completed',
    ]);
    expect(found(result)).toEqual(['info rejection_ends_run review']);
  });

  it('sends events on time, early and late', () => {
    const result = examined(`
  a: { type: tool, next: paid }
  paid: { type: wait, event: payment, timeout: 1h, on_timeout: again, next: end }
  again: { type: wait, event: payment, timeout: 1h, next: end }`);
    expect(paths(result)).toContain('a → paid → completed');
    expect(paths(result)).toContain('a → paid (timeout) → again → completed');
    expect(found(result)).toEqual(['info timeout_ends_run again']);
    const alone = examined(`
  paid: { type: wait, event: payment, timeout: 1h, on_timeout: b, next: end }
  b: { type: tool }`);
    expect(found(alone)).toEqual(['info late_event_unread paid']);
  });

  it('explores the sources of a first-wins join in every order, and other branches in one', () => {
    const branches = `
  ask: { type: parallel, branches: [x, y, z], join: met }
  x: { type: tool }
  y: { type: tool }
  z: { type: tool }`;
    const race = examined(`${branches}\n  met: { type: join, strategy: first, wait_for: [x, y, z] }`);
    expect(paths(race)).toEqual(expect.arrayContaining(['x', 'y', 'z'].map((node) => `ask → ${node} → met → completed`)));
    const all = examined(`${branches}\n  met: { type: join, wait_for: [x, y, z] }`);
    expect(paths(all)).toEqual(['ask → x → y → z → met → completed']);
    expect(race.findings.some(({ code }) => code === 'failure_ends_run')).toBe(false);
  });

  it('reports a loop that cannot be left, with its position', () => {
    const result = examined(`
  a: { type: tool, output_key: a, next: b }
  b: { type: tool, output_key: b, next: [{ when: "state.flag == 'x'", to: c }, { else: again }] }
  again: { type: tool, output_key: other, next: b }
  c: { type: tool }`);
    expect(result.findings[0]).toMatchObject({
      severity: 'error',
      code: 'never_ends',
      node_id: 'b',
      line: 5,
      column: 3,
      message: 'runs can reach "b", "again" and never end: every step from there leads back',
    });
  });

  it('reports no endless loop if a condition is undecidable', () => {
    const result = examined(`
  review: { type: human_approval, on_approved: b, on_rejected: b }
  b: { type: tool, output_key: b, next: [{ when: "state.review.comment == 'go'", to: c }, { else: again }] }
  again: { type: tool, output_key: other, next: b }
  c: { type: tool }`);
    expect(found(result)).toContain('info never_ends b');
    expect(found(result)).toContain('info undecided_condition b');
    expect(result.findings.every(({ severity }) => severity === 'info')).toBe(true);
  });

  it('reports a branch that is never taken', () => {
    const result = examined(`
  a: { type: tool, output_key: a, next: [{ when: "1 > 2", to: b }, { when: "state.a.n > 3", to: c }, { when: "state.a.n > 5", to: d }, { else: end }] }
  b: { type: tool }
  c: { type: tool }
  d: { type: tool }`);
    expect(found(result)).toEqual([
      'warning branch_never_taken a',
      'info never_reached b',
      'info never_reached d',
      'info undecided_condition a',
    ]);
  });

  it('explores children, work awaiting approval, and retries', () => {
    const result = examined(`
  child: { type: subgraph, workflow: other, output: { grade: "{{ state.rating }}" }, next: choose, retry: { max_attempts: 2 } }
  choose: { type: condition, branches: [{ if: "state.grade == 'A'", next: pay }], default: end }
  pay: { type: tool, policy: { require_approval_for: ['*'] }, fallback: tell }
  tell: { type: tool }`);
    expect([...paths(result)].sort()).toEqual([
      'child → choose [else] → completed',
      "child → choose [state.grade == 'A'] → pay (failed) → tell → completed",
      "child → choose [state.grade == 'A'] → pay → completed",
    ]);
  });

  it('reaches every node and branch behind loops within the default bounds', () => {
    // The first output of each stage leads back: to itself, to the start, or to the previous stage.
    const stages = Array.from({ length: 10 }, (_, i) => {
      const next = i < 9 ? `do${i + 1}` : 'split';
      return `
  do${i}: { type: tool, output_key: do${i}, retry: { max_attempts: 3 }, next: check${i} }
  check${i}:
    type: condition
    branches:
      - { if: "state.do${i}.again == 'yes'", next: do${i} }
      - { if: "state.do${i}.restart == 'yes'", next: do0 }
      - { if: "state.do${i}.doubts > ${i}", next: repair${i} }
    default: ${next}
  repair${i}: { type: tool, output_key: repair${i}, next: [{ when: "state.repair${i}.back", to: do${Math.max(0, i - 1)} }, { else: ${next} }] }`;
    });
    const result = examined(
      `${stages.join('')}
  split: { type: parallel, branches: [ask, read], join: both }
  ask: { type: tool, output_key: ask, next: [{ when: "state.ask.again", to: ask }, { when: "state.ask.other", to: other }, { else: both }] }
  other: { type: tool, fallback: both, next: both }
  read: { type: tool }
  both: { type: join, next: [{ when: "env.REGION == 'eu'", to: report }, { else: end }] }
  report: { type: tool }`,
      '',
      { paths: 1_000, steps: 1_000 },
    );
    expect(found(result).filter((finding) => !finding.includes('loop_without_bound'))).toEqual([]);
    expect(result.exploration?.bounded).toContain('steps');
    expect(paths(result).length).toBeGreaterThan(100);
  });

  it('reports unreached nodes as stopped at the bound', () => {
    const result = examined(
      `
  a: { type: tool, output_key: a, next: [{ when: "state.a.n > 1", to: b }, { else: a }] }
  b: { type: tool, output_key: b, next: [{ when: "state.b.n > 1", to: c }, { else: a }] }
  c: { type: tool }`,
      '',
      { paths: 10, steps: 4 },
    );
    expect(result.findings.every(({ severity }) => severity === 'info')).toBe(true);
    expect(result.findings.filter(({ code }) => code === 'never_reached' || code === 'undecided_condition')).toMatchObject([
      {
        node_id: 'c',
        message: 'no explored run reaches "c", but the exploration stopped at the maximum number of steps',
        hint: 'explore further with --steps, or add a test that reaches it',
      },
    ]);
  });

  it('reports which bound was reached', () => {
    const nodes = Array.from(
      { length: 12 },
      (_, i) => `
  a${i}: { type: tool, output_key: k${i}, next: [{ when: "state.k${i}.n > 1", to: b${i} }, { else: a${i + 1} }] }
  b${i}: { type: tool, next: a${i + 1} }`,
    ).join('');
    const many = examined(`${nodes}\n  a12: { type: tool }`, '', { paths: 10, steps: 5_000 });
    expect(many.exploration).toMatchObject({ bounded: ['paths'] });
    expect(paths(many)).toHaveLength(10);
    const few = examined(`${nodes}\n  a12: { type: tool }`, '', { paths: 10, steps: 30 });
    expect(few.exploration?.bounded).toContain('steps');
  });
});
