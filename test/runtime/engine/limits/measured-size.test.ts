import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../../machines/json.ts';
import type { Run } from '../../../../machines/run.ts';
import { bytesByItems, bytesHeldBy, bytesOf } from '../../../../src/runtime/engine/limits/execution-size.ts';

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;

/** A run with a state, and what is known of its size. */
function runWith(state: Json, knownSize?: Run['knownSize']): Run {
  const run = { snapshot: { context: { state, pendingInputs: {}, earlyEvents: [] } }, knownSize };
  return run as unknown as Run;
}

describe('the size of a value, measured by its items', () => {
  it('is the length of its JSON text in bytes', () => {
    fc.assert(fc.property(json, (value) => bytesByItems(value) === bytesOf(value)));
  });
});

describe('the size of a state, measured by what a step has changed', () => {
  const members = fc.record(
    { list: fc.array(json), text: fc.string(), more: fc.array(json) },
    { requiredKeys: ['list', 'text'] },
  );

  it('is the length of its JSON text in bytes', () => {
    const change = fc.record({ kept: fc.nat(9), appended: fc.array(json), text: fc.string(), more: fc.option(fc.array(json)) });
    fc.assert(
      fc.property(members, change, (was, { kept, appended, text, more }) => {
        const now: Json = { list: [...was.list.slice(0, kept), ...appended], text, ...(more === null ? {} : { more }) };
        const before = runWith(was as Json);
        const measured = bytesHeldBy(before) as NonNullable<NonNullable<Run['knownSize']>['measured']>;
        expect(bytesHeldBy(runWith(now, { atMost: 0, measured })).state).toBe(bytesOf(now));
      }),
    );
  });
});
