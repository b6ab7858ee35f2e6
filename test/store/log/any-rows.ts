import fc from 'fast-check';
import { ACTOR } from '../../../machines/events/declaration.ts';
import { EVENT_TYPES, EVENTS } from '../../../machines/events/index.ts';
import type { Json, JsonObject } from '../../../store/port/json.ts';
import { AT_MS, event } from '../writes.ts';

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;
const key = fc.oneof(fc.string(), fc.constantFrom('10', '2', '__proto__', 'constructor', 'toString', 'activation', 'output'));
const object = fc.dictionary(key, json, { maxKeys: 6, noNullPrototype: true }) as fc.Arbitrary<JsonObject>;
const name = fc.oneof(
  fc.constantFrom('a', 'null', '-', '', '"', 'step-1', '*', 'a\tb\nc', 'žižka'),
  fc.string({ unit: 'grapheme' }),
);

/** Data with some of the keys of its type, some of them with their defaults, some with any value. */
const shaped = fc.constantFrom(...EVENT_TYPES).chain((type) => {
  const keys = [...EVENTS[type].fields.keys()];
  const values = [...EVENTS[type].fields.values()].map((value) => {
    const byDefault = value === undefined ? [] : [fc.constant(value === ACTOR ? 'alice' : (value as Json))];
    return fc.oneof(fc.constant(undefined), json, ...byDefault);
  });
  return fc.tuple(...values).map((chosen) => {
    const data = Object.fromEntries(keys.flatMap((each, index) => (chosen[index] === undefined ? [] : [[each, chosen[index]]])));
    return { type, data: data as JsonObject };
  });
});

/** The events of an execution: of any type, with any data, by several actors. */
export const anyRows = fc
  .array(
    fc.record({
      event: fc.oneof(shaped, fc.record({ type: fc.oneof(fc.constantFrom(...EVENT_TYPES), name), data: object })),
      nodeId: fc.oneof(fc.constantFrom(null, 'a', 'a', 'b'), name),
      context: fc.constantFrom({}, {}, {}, { atMs: AT_MS + 1 }, { actorId: 'bob' }, { request: '{}' }, { onBehalfOf: 'eve' }),
    }),
    { maxLength: 12 },
  )
  .map((made) =>
    made.map(({ event: { type, data }, nodeId, context }, index) => event(index + 1, { type, data, nodeId, ...context })),
  )
  .map((made) => made.map((row) => ({ ...row, type: clean(row.type), nodeId: row.nodeId === null ? null : clean(row.nodeId) })));

function clean(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
