import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { CpuClock } from '../../support/clock.ts';
import { longestTurnMs } from '../../support/longest-turn.ts';
import { CALLER, openTestRuntime } from '../../support/runtimes.ts';

/** Beyond the time for reading and writing its text. Others wait for two slices of 10 ms at least. */
const MOST_MS = 50;
/** The least of them counts: garbage collection and the compiler have nothing to do with the input. */
const ATTEMPTS = 4;
const WAIT = {
  workflow_id: 'wait',
  version: '1',
  nodes: { wait: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'k' } } },
  edges: [],
};

const turn = () => new Promise((resolve) => setImmediate(resolve));

const keys = (count: number, nameOf: (i: number) => string) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [nameOf(i), i]));
const list = (length: number, text: string) => ({ list: Array.from({ length }, () => JSON.parse(text) as Json) });

describe('an execution that starts with 2 MB', () => {
  it.each<[string, JsonObject]>([
    ['long keys', keys(60_000, (i) => `address${i}@example.com`)],
    ['short keys', keys(170_000, (i) => i.toString(36))],
    ['numbers', list(900_000, '1')],
    ['empty lists', list(600_000, '[]')],
    ['nested lists', list(200_000, '[[[1]]]')],
    ['texts', list(400_000, '"x"')],
  ])('holds up others hardly longer than reading and writing its text does: many %s', async (_name, value) => {
    const text = JSON.stringify(value);
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
