import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { longestHoldCpuMs } from '../../support/cpu.ts';
import { openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const DETECTORS = ['email', 'ssn', 'credit_card', 'phone', 'ip_address'];

function workflow(data_policy: JsonObject | null): JsonObject {
  const nodes = { a: { kind: { type: 'tool', tool_ref: 'work' } } };
  return { workflow_id: 'w', version: '1', nodes, edges: [], ...(data_policy === null ? {} : { data_policy }) };
}

/** Runs the workflow on a text of 2 MB, and reads the execution. Returns how long that held the event loop at once, in ms of CPU. */
async function longestHold(text: string, data_policy: JsonObject | null): Promise<number> {
  const opened = await openTestRuntime({ tools: { work: () => ({ ok: true }) } });
  return longestHoldCpuMs(async () => {
    const id = await opened.run(workflow(data_policy), { text });
    expect((await opened.settled(id)).status).toBe('completed');
    await opened.runtime.execution('default', id);
  });
}

async function dataOf({ log }: TestRuntime, id: string, type: string): Promise<JsonObject | undefined> {
  return (await log(id)).find((event) => event.type === type)?.data;
}

describe('a long text under a data policy', () => {
  it.each([
    ['digits', '4'],
    ['numbers that may be those of phones or cards', '555-123-45 '],
    ['addresses', '10.0.0.1 2001:db8::1 '],
    ['prose', 'The quick brown fox jumps over the lazy dog, and says nothing. '],
  ])('holds up other work hardly longer than it does without one: %s', async (_what, part) => {
    const text = part.repeat(Math.ceil(2_000_000 / part.length));
    const without = await longestHold(text, null);
    // All detectors at once take from 0.3 s for prose to 2 s for numbers.
    const policy = { pii_detectors: DETECTORS, pii_fields: ['$.name'] };
    expect(await longestHold(text, policy)).toBeLessThan(without + 250);
  });

  it('is shown and stored as a short one, and tools work with all of it', async () => {
    const given: unknown[] = [];
    const logged: unknown[] = [];
    const opened = await openTestRuntime({
      tools: {
        work(input, { log }) {
          given.push(input);
          log.info(`got ${(input as { text: string }).text}`);
          return { copy: `<${(input as { text: string }).text}>` };
        },
      },
      onToolLog: ({ message }) => logged.push(message),
    });
    const lines = Array.from({ length: 20_000 }, (_, i) => `${i}: Ann Smith <ann${i}@example.com>, `);
    const text = lines.join('');
    const shown = lines.map((_, i) => `${i}: [REDACTED] <[REDACTED]>, `).join('');
    const input = { name: 'Ann Smith', text, mails: { 'a@example.com': text, 'b@example.com': 1 } };
    const id = await opened.run(workflow({ pii_detectors: DETECTORS, pii_fields: ['$.name'] }), input);
    const expected = { name: '[REDACTED]', text: shown, mails: { '[REDACTED]': shown, '[REDACTED] 2': 1 } };
    expect((await opened.settled(id)).state).toEqual({ ...expected, copy: `<${shown}>` });
    expect(await dataOf(opened, id, 'workflow_started')).toMatchObject({ initial_input: expected });
    expect(await dataOf(opened, id, 'node_completed')).toMatchObject({ output: { copy: `<${shown}>` } });
    expect(given).toEqual([input]);
    await expect.poll(() => logged).toEqual([`got ${shown}`]);
  });

  it('gives every key of a large object a name, in time proportional to their number', async () => {
    const opened = await openTestRuntime({ tools: { work: () => ({}) } });
    const input = Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`a${i}@example.com`, i]));
    const id = await opened.run(workflow({ pii_detectors: DETECTORS }), input);
    const { state } = await opened.settled(id);
    // Quadratic time would exceed the test's time limit by far.
    expect(Object.keys(state).slice(0, 3)).toEqual(['[REDACTED]', '[REDACTED] 2', '[REDACTED] 3']);
    expect(state['[REDACTED] 40000']).toBe(39_999);
  });
});
