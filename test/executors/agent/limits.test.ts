import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { readScript } from '../../../src/executors/model/script.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const TURN = { input_tokens: 90, output_tokens: 10, cost_usd: 0.25 };
const asks = (number: number) => ({ tools: [{ name: 'search', arguments: { number } }], usage: TURN });

/** An agent that searches three times before it answers; each turn takes 100 tokens and 0.25 US dollars. */
async function open(constraints: JsonObject, path?: string) {
  const searched: unknown[] = [];
  const opened = await openTestRuntime({
    ...(path === undefined ? {} : { path }),
    models: { script: readScript([asks(1), asks(2), asks(3), { text: 'Found.', usage: TURN }]) },
    tools: {
      search: ({ number }) => {
        searched.push(number);
        return { found: number };
      },
    },
  });
  const document = {
    workflow_id: 'help',
    version: '1',
    start_node: 'helper',
    nodes: {
      helper: {
        kind: { type: 'agent', model_ref: 'gpt-4o', prompt: 'Find it.', tools: ['search'], output_key: 'answer' },
        autonomy: { level: 'bounded_autonomous', constraints },
      },
    },
    edges: [],
  };
  return { ...opened, searched, document };
}

/** The only approval that is pending, once there is one: `[node, limit, calls]`. */
async function held({ runtime }: TestRuntime, id: string) {
  const pending = async () => (await runtime.approvals('default', id)).pending;
  await eventually(async () => (await pending()).length === 1);
  const [approval] = await pending();
  const { limit, calls } = approval?.context ?? {};
  return [approval?.nodeId, limit, calls];
}

const limit = (limit_type: string, limit_value: number, actual_value: number) => ({ limit_type, limit_value, actual_value });
const call = (number: number) => [{ name: 'search', arguments: { number } }];

describe('limits of autonomy', () => {
  it.each([
    [{ max_tool_calls: 1 }, ['helper.search', limit('max_tool_calls', 1, 1), call(2)], [1]],
    [{ max_iterations: 2 }, ['helper', limit('max_iterations', 2, 2), undefined], [1, 2]],
    [{ cost_budget_usd: 0.5 }, ['helper.search', limit('cost_budget', 0.5, 0.5), call(2)], [1]],
    [{ token_budget: 300 }, ['helper.search', limit('token_budget', 300, 300), call(3)], [1, 2]],
  ])(
    '%j hold the agent; it goes on when a person approves, and fails when a person refuses',
    async (autonomy, expected, before) => {
      const opened = await open(autonomy);
      const id = await opened.run(opened.document);
      expect(await held(opened, id)).toEqual(expected);
      expect(opened.searched).toEqual(before);
      let approvals = 0;
      while ((await opened.runtime.execution('default', id)).status !== 'completed') {
        await held(opened, id);
        await opened.runtime.approve(CALLER, id, { decision: 'approved' });
        approvals += 1;
        await eventually(async () => {
          const { status } = await opened.runtime.execution('default', id);
          const [pending] = (await opened.runtime.approvals('default', id)).pending;
          return status === 'completed' || pending !== undefined;
        });
      }
      expect((await opened.settled(id)).state.answer).toBe('Found.');
      expect(opened.searched).toEqual([1, 2, 3]);
      const reached = (await opened.log(id)).filter(({ type }) => type === 'autonomy_limit_reached');
      expect(reached).toHaveLength(approvals);

      const { executionId: other } = await opened.runtime.start(CALLER, { workflowId: 'help', input: {} });
      await held(opened, other);
      await opened.runtime.approve(CALLER, other, { decision: 'rejected', comment: 'enough' });
      expect(await opened.settled(other)).toMatchObject({ status: 'failed' });
      const failed = (await opened.log(other)).filter(({ type, nodeId }) => type === 'node_failed' && nodeId === 'helper');
      expect(failed.map(({ data }) => data.error)).toEqual(['approval rejected by tester: enough']);
      expect(opened.searched.slice(3)).toEqual(before);
      await opened.close();
      expect((await replayAll(opened.path)).differing).toEqual([]);
    },
  );

  it('hold the agent after a restart as well', async () => {
    const opened = await open({ max_tool_calls: 2 });
    const id = await opened.run(opened.document);
    const before = await held(opened, id);
    await opened.close();
    const again = await open({}, opened.path);
    expect(await held(again, id)).toEqual(before);
    expect(before).toEqual(['helper.search', limit('max_tool_calls', 2, 2), call(3)]);
    await again.runtime.approve(CALLER, id, { decision: 'approved' });
    expect((await again.settled(id)).state.answer).toBe('Found.');
    expect([opened.searched, again.searched]).toEqual([[1, 2], [3]]);
  });
});
