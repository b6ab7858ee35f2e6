import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { CpuClock } from '../../support/clock.ts';
import { longestTurnMs } from '../../support/longest-turn.ts';
import { CALLER, openTestRuntime } from '../../support/runtimes.ts';

/** Beyond the time for reading and writing its text. */
const MOST_MS = 25;
/** The least of them counts: garbage collection and the compiler have nothing to do with the input. */
const ATTEMPTS = 4;
const WAIT = {
  workflow_id: 'wait',
  version: '1',
  nodes: { wait: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'k' } } },
  edges: [],
};

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('an execution that starts with 2 MB', () => {
  it('holds up others hardly longer than reading and writing its text does, however many keys it has', async () => {
    const text = JSON.stringify(Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`address${i}@example.com`, i])));
    const { runtime } = await openTestRuntime({ clock: new CpuClock() });
    await runtime.register(CALLER, WAIT);
    let least = Number.POSITIVE_INFINITY;
    for (let n = 0; n < ATTEMPTS && least > MOST_MS; n += 1) {
      let input: JsonObject = {};
      const textMs = await longestTurnMs(async () => {
        await turn();
        input = JSON.parse(text) as JsonObject;
        JSON.stringify(input);
        await turn();
      });
      await turn();
      const ms = await longestTurnMs(async () => {
        await runtime.start(CALLER, { workflowId: 'wait', input });
        await turn();
      });
      least = Math.min(least, ms - textMs);
    }
    expect(least).toBeLessThan(MOST_MS);
  });
});
