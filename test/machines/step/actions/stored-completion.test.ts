import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import { Driver } from '../../../support/driver.ts';
import { tool, workflow } from '../../../support/workflows.ts';

const LONG = 'x'.repeat(600);
const deep = (levels: number, list: Json): Json => (levels === 0 ? list : { a: deep(levels - 1, list) });

/** Three nodes give the list with one more item each, at a place of the patch. Returns what the log has of their completions, and the state. */
function growing(first: string, at: (list: Json) => JsonObject): { stored: Json[]; appended: Json[]; state: Json } {
  const made = workflow(
    [tool('a'), tool('b'), tool('c')],
    [
      ['a', 'b'],
      ['b', 'c'],
    ],
  );
  const driver = new Driver(made);
  for (const [node, list] of Object.entries({ a: [first], b: [first, 1], c: [first, 1, 2] }))
    driver.done(node, {}, { patch: at(list) });
  const completions = driver.all('node_completed').map(({ data }) => data);
  return {
    stored: completions.map(({ state_patch }) => state_patch ?? null),
    appended: completions.map(({ appended }) => appended ?? null),
    state: driver.state as Json,
  };
}

describe('a list that a patch gives with further items', () => {
  it.each<[string, (list: Json) => JsonObject, string]>([
    ['at the top of the patch', (messages) => ({ messages }), '/messages'],
    ['inside an object', (messages) => ({ chat: { messages } }), '/chat/messages'],
  ])('is stored as these items once the log has it whole: %s', (_, at, pointer) => {
    const { stored, appended, state } = growing(LONG, at);
    expect(stored).toEqual([at([LONG]), at([LONG, 1]), at([2])]);
    expect(appended).toMatchObject([null, null, { [pointer]: { kept: 2 } }]);
    expect(state).toMatchObject(at([LONG, 1, 2]));
  });

  it.each<[string, string, (list: Json) => JsonObject]>([
    ['is short', 'x', (list) => ({ list })],
    ['is deep in the patch', LONG, (list) => deep(6, list) as JsonObject],
  ])('is stored whole if it %s', (_, first, at) => {
    const { stored, appended } = growing(first, at);
    expect(stored).toEqual([at([first]), at([first, 1]), at([first, 1, 2])]);
    expect(appended).toEqual([null, null, null]);
  });
});
