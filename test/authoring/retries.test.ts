import { describe, expect, it } from 'vitest';
import { compiled, node, problems, workflowOf } from './compile.ts';

describe('a retry policy', () => {
  it.each([
    ['{ max_attempts: 3, backoff: exponential, delay_ms: 500 }', { max_attempts: 3, backoff: 'exponential', initial_delay: 0.5 }],
    [
      '{ backoff: constant, delay_ms: 200, max_delay_ms: 10000, retry_on: [timeout, 503] }',
      { backoff: 'fixed', initial_delay: 0.2, max_delay: 10, retryable_on: ['timeout', '503'] },
    ],
    [
      '{ base_delay: 2s, max_delay: 30s, jitter: true, retryable_errors: [rate_limit] }',
      { initial_delay: 2, max_delay: 30, jitter: true, retryable_on: ['rate_limit'] },
    ],
    [
      '{ initial_delay: 0, max_delay: 1m, retryable_on: [io_error] }',
      { initial_delay: 0, max_delay: 60, retryable_on: ['io_error'] },
    ],
  ])('%s', (policy, expected) => {
    expect(node(`{ retry: ${policy} }`).retry).toEqual(expected);
    expect(
      compiled(`workflow: { id: w }\nretry_policies: { p: ${policy} }\nnodes: { a: { retry_policy: p } }`).retry_policies,
    ).toEqual({ p: expected });
  });

  it('is shared by an anchor', () => {
    const text =
      'workflow: { id: w }\nx-retry: &patient { max_attempts: 9 }\nnodes: { a: { retry: *patient }, b: { retry: { <<: *patient, jitter: true } } }';
    expect(compiled(text).nodes).toMatchObject({
      a: { retry: { max_attempts: 9 } },
      b: { retry: { max_attempts: 9, jitter: true } },
    });
  });

  it('warns of unknown keys', () => {
    expect(
      problems(
        workflowOf('  a:\n    retry:\n      attempts: 3\n      delay_ms: fast\n      max_delay: 1s\n      max_delay_ms: 2'),
      ),
    ).toEqual(['5:7 warning unknown_key', '6:17 error wrong_type', '8:7 error given_twice']);
  });

  it('cannot be a number', () => expect(problems(workflowOf('  a: { retry: 3 }'))).toEqual(['3:15 error wrong_type']));

  it('is unknown on a node that does no work', () => {
    expect(problems(workflowOf('  a: { type: wait, event: e, retry: { max_attempts: 2 } }'))).toEqual([
      '3:30 warning unknown_key',
    ]);
  });
});
