import { expect, it } from 'vitest';
import type { JsonObject } from '../../../../machines/json.ts';
import type { ActivityTask } from '../../../../src/runtime/activities/local/activity-task.ts';
import { callAmount } from '../../../../src/runtime/activities/local/call-amount.ts';
import { Driver } from '../../../support/driver.ts';
import { workflow } from '../../../support/workflows.ts';

const LIMITS = { max_tokens_per_call: 1_000, max_cost_per_call_usd: 2 };

/** The most that a call of another agent may use. */
function amountOf(more: JsonObject) {
  const { program, run } = new Driver(
    workflow([{ id: 'ask', kind: { type: 'agent_tool', agent: 'https://example.com', ...more } }]),
  );
  const task = { loaded: { program }, node: 'ask', executionId: 'exec_1' } as unknown as ActivityTask;
  return callAmount(task, run, {} as never, LIMITS);
}

it('a call of another agent may use what its node grants, within what a report may have', () => {
  expect(amountOf({})).toEqual({ input: 1_000, output: 1_000, total: 2_000, costUsd: 2 });
  expect(amountOf({ budget: { max_tokens: 500, max_cost_usd: 1 } })).toEqual({ input: 500, output: 500, total: 500, costUsd: 1 });
  expect(amountOf({ budget: { max_tokens: 5_000, max_cost_usd: 9 } })).toEqual({
    input: 1_000,
    output: 1_000,
    total: 2_000,
    costUsd: 2,
  });
});
