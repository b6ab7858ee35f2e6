import { it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { eventually } from '../../support/runtimes.ts';
import { follower, live, openLife, TIMEOUT_MS, TURNS } from './lives.ts';

const PERIOD_SECS = 900;
const TURNS_PER_SEGMENT = 25;

/** Two nodes a turn. */
const POLLER: JsonObject = {
  workflow_id: 'poller',
  version: '1',
  start_node: 'pause',
  continue_as_new: { after_steps: 2 * TURNS_PER_SEGMENT, at: 'pause' },
  nodes: {
    pause: { kind: { type: 'wait', duration_secs: PERIOD_SECS } },
    poll: { kind: { type: 'tool', tool_ref: 'poll', output_key: 'news' } },
  },
  edges: [
    { from: 'pause', to: 'poll' },
    { from: 'poll', to: 'pause' },
  ],
};

it('a poller lives as long as it is let', { timeout: TIMEOUT_MS }, async () => {
  let polled = 0;
  const poll = () => {
    polled += 1;
    return { items: [1_000_000 + polled] };
  };
  const opened = await openLife({ tools: { poll } });
  const resting = follower(opened, await opened.run(POLLER, {}));
  await resting();
  await live(opened, {
    name: 'poller',
    turns: TURNS,
    turnsPerSegment: TURNS_PER_SEGMENT,
    async turn(n) {
      opened.clock.advance(PERIOD_SECS * 1_000);
      await eventually(() => polled > n);
      return resting();
    },
  });
});
