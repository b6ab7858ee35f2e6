import { expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { readScript } from '../../../src/executors/model/script.ts';
import { eventually } from '../../support/runtimes.ts';
import { follower, live, openLife, TIMEOUT_MS, TURNS } from './lives.ts';

const PERIOD_SECS = 900;
const TASKS_PER_SEGMENT = 25;

/** Six nodes a task, two of which are turns of the agent. */
const AGENT: JsonObject = {
  workflow_id: 'agent',
  version: '1',
  start_node: 'pause',
  continue_as_new: { after_steps: 6 * TASKS_PER_SEGMENT, at: 'pause' },
  nodes: {
    pause: { kind: { type: 'wait', duration_secs: PERIOD_SECS } },
    next: { kind: { type: 'tool', tool_ref: 'next', output_key: 'task' } },
    helper: {
      kind: {
        type: 'agent',
        model_ref: 'gpt-4o',
        system_prompt: 'You look things up.',
        prompt: 'Task {{ state.task.number }}: what is the price?',
        tools: ['lookup'],
        max_messages: 20,
        output_key: 'answer',
      },
    },
  },
  edges: [
    { from: 'pause', to: 'next' },
    { from: 'next', to: 'helper' },
    { from: 'helper', to: 'pause' },
  ],
};

const SCRIPT = readScript([{ tools: [{ name: 'lookup', arguments: { of: 'price' } }] }, 'It is 12 euros.']);

it('an agent lives as long as it is let', { timeout: TIMEOUT_MS }, async () => {
  const called = { next: 0, lookup: 0 };
  const numbered = (name: keyof typeof called) => () => {
    called[name] += 1;
    return { number: 1_000_000 + called[name] };
  };
  const tools = { next: numbered('next'), lookup: numbered('lookup') };
  const opened = await openLife({ models: { script: SCRIPT }, tools });
  const resting = follower(opened, await opened.run(AGENT, {}));
  await resting();
  await live(opened, {
    name: 'agent',
    turns: TURNS / 2,
    turnsPerSegment: TASKS_PER_SEGMENT,
    async turn(n) {
      opened.clock.advance(PERIOD_SECS * 1_000);
      await eventually(() => called.next > n);
      return resting();
    },
  });
  expect(called).toEqual({ next: TURNS / 2, lookup: TURNS / 2 });
});
