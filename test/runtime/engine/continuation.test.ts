import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const TURNS = 600;
const AFTER_STEPS = 100;

const poller: JsonObject = {
  workflow_id: 'poller',
  version: '1',
  start_node: 'poll',
  labels: { team: 'a' },
  continue_as_new: { after_steps: AFTER_STEPS, at: 'poll' },
  nodes: {
    poll: { kind: { type: 'tool', tool_ref: 'poll', output_key: 'n' } },
    more: { kind: { type: 'condition', branches: [{ condition: `state.n < ${TURNS}`, target: 'poll' }, { target: 'end' }] } },
  },
  edges: [{ from: 'poll', to: 'more' }],
};

const chat: JsonObject = {
  workflow_id: 'chat',
  version: '1',
  start_node: 'ask',
  continue_as_new: { after_steps: 20, at: 'ask' },
  nodes: {
    ask: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'said', output_key: 'said' } },
    reply: { kind: { type: 'tool', tool_ref: 'reply', input_mapping: { text: '{{ state.said.text }}' }, output_key: 'reply' } },
  },
  edges: [
    { from: 'ask', to: 'reply' },
    { from: 'reply', to: 'ask' },
  ],
};

/** Every segment of the chain, the first one first. */
async function chainOf({ runtime }: TestRuntime, first: string) {
  const chain = [await runtime.execution('default', first)];
  for (let last = chain[0]; last?.nextExecutionId != null; last = chain.at(-1))
    chain.push(await runtime.execution('default', last.nextExecutionId));
  return chain;
}

const currentOf = async ({ runtime }: TestRuntime, id: string) =>
  (await runtime.execution('default', id)).currentExecutionId ?? id;

describe('an execution that lives long', () => {
  it('polls in segments of the same size', async () => {
    let polled = 0;
    const bench = await openTestRuntime({ tools: { poll: () => (polled += 1) } });
    const id = await bench.run(poller, {});
    await eventually(async () => (await bench.runtime.execution('default', await currentOf(bench, id))).status === 'completed');
    const chain = await chainOf(bench, id);
    const last = chain.at(-1);
    expect(last).toMatchObject({ status: 'completed', state: { n: TURNS }, labels: { team: 'a' } });
    expect(polled).toBe(TURNS);
    expect(chain.reduce((sum, { stepsExecuted }) => sum + stepsExecuted, 0)).toBe(2 * TURNS);
    for (const { stepsExecuted, sequence, segment, executionId } of chain) {
      expect(stepsExecuted).toBeLessThanOrEqual(AFTER_STEPS);
      expect(sequence).toBeLessThanOrEqual(6 * AFTER_STEPS);
      expect(chain[segment]?.executionId).toBe(executionId);
    }
    for (const one of chain.slice(0, 3))
      expect(await bench.runtime.replay('default', one.executionId)).toMatchObject({ mismatch: null });
    expect(chain[0]).toMatchObject({ firstExecutionId: null, currentExecutionId: last?.executionId });
    expect(chain[1]).toMatchObject({ firstExecutionId: id, previousExecutionId: id, currentExecutionId: last?.executionId });
    expect(last).toMatchObject({ firstExecutionId: id, nextExecutionId: null, currentExecutionId: null });
  });

  it('chats by the id of its first segment', async () => {
    const replies: unknown[] = [];
    const bench = await openTestRuntime({ tools: { reply: (input) => replies.push(input) } });
    const id = await bench.run(chat, {});
    const turns = TURNS / 4;
    let passedOn = 0;
    for (let i = 0; i < turns; i += 1) {
      const receipt = await bench.runtime.sendEvent(CALLER, id, {
        key: 'said',
        payload: { text: i },
        idempotencyKey: `event-${i}`,
      });
      // A repeated request changes nothing, whichever segment has taken it.
      if (i % 50 === 0)
        await bench.runtime.sendEvent(CALLER, id, { key: 'said', payload: { text: i }, idempotencyKey: `event-${i}` });
      passedOn += receipt.executionId === undefined ? 0 : 1;
    }
    await eventually(() => replies.length === turns);
    expect(replies).toEqual(Array.from({ length: turns }, (_, text) => ({ text })));
    expect(passedOn).toBeGreaterThan(turns / 2);
    const chain = await chainOf(bench, id);
    expect(chain.length).toBeGreaterThanOrEqual(Math.floor((2 * turns) / 22));
    for (const { sequence } of chain) expect(sequence).toBeLessThanOrEqual(200 + turns);
    await eventually(async () => (await bench.runtime.execution('default', await currentOf(bench, id))).status === 'paused');
  });

  it('names the current segment to a request that is for it', async () => {
    let polled = 0;
    const bench = await openTestRuntime({ tools: { poll: () => (polled += 1) } });
    const id = await bench.run({ ...poller, continue_as_new: { after_steps: 50, at: 'poll' } }, {});
    await eventually(async () => (await bench.runtime.execution('default', await currentOf(bench, id))).status === 'completed');
    const current = await currentOf(bench, id);
    await expect(bench.runtime.cancel(CALLER, id)).rejects.toMatchObject({
      code: 'already_terminal',
      message: expect.stringContaining(`now ${current}`),
    });
    await expect(bench.runtime.retry(CALLER, id)).rejects.toMatchObject({ code: 'conflict' });
  });
});
