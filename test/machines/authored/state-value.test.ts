import { describe, expect, it } from 'vitest';
import { type AnyActor, createActor, SimulatedClock } from 'xstate';
import { isStateValue } from '../../../machines/authored/state-value.ts';
import { machineStates } from '../../../machines/authored/states.ts';
import { isObject, type Json } from '../../../machines/json.ts';
import { EXAMPLES, type Example } from '../../support/state-machines.ts';

/** The state values that XState's own actor comes to. */
async function valuesOf({ machine, input, happens }: Example): Promise<readonly Json[]> {
  const values: Json[] = [];
  const clock = new SimulatedClock();
  const actor: AnyActor = createActor(
    machine(() => {}),
    {
      input,
      clock,
      logger: () => {},
      inspect: (event) => {
        if (event.type === '@xstate.snapshot' && event.actorRef === actor && 'value' in event.snapshot)
          values.push(event.snapshot.value as Json);
      },
    },
  );
  actor.subscribe({ error: () => {} });
  actor.start();
  for (const happening of happens) {
    for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    if ('send' in happening) actor.send(happening.send);
    else clock.increment(happening.wait);
  }
  actor.stop();
  return values;
}

/** The value with one state or region of it left out, added or renamed. */
function broken(value: Json): readonly Json[] {
  if (!isObject(value)) return [`${value} `, { [String(value)]: {} }, {}, null, [value]];
  const around = Object.entries(value).flatMap(([key, inner]) => broken(inner).map((wrong) => ({ ...value, [key]: wrong })));
  const without = Object.keys(value).map((key) => Object.fromEntries(Object.entries(value).filter(([other]) => other !== key)));
  return [...around, ...without, { ...value, more: {} }];
}

describe('a state value', () => {
  it.each(EXAMPLES)('is one of the machine if an actor of it can have it, and only then: $name', async (example) => {
    const states = machineStates(example.machine(() => {}));
    const values = await valuesOf(example);
    expect(values.length).toBeGreaterThan(0);
    expect(values.filter((value) => !isStateValue(states, value))).toEqual([]);
    expect(values.flatMap(broken).filter((value) => isStateValue(states, value))).toEqual([]);
  });

  it('is compared in a time that follows from its size, and not from that of the machine', () => {
    const regions = Object.fromEntries(Array.from({ length: 2_000 }, (_, region) => [`r${region}`, {}]));
    let reads = 0;
    const counted = new Proxy(regions, {
      ownKeys: (target) => {
        reads += 1;
        return Reflect.ownKeys(target);
      },
    });
    const machine = { type: 'parallel', states: counted };
    expect(isStateValue(machine, regions)).toBe(true);
    const before = reads;
    for (let times = 0; times < 1_000; times += 1) expect(isStateValue(machine, {})).toBe(false);
    expect(reads).toBe(before);
  });

  it('may be nested as deep as can be, and the states of a document any JSON', () => {
    let [deep, states]: [Json, Json] = ['leaf', { leaf: {} }];
    for (let depth = 0; depth < 50_000; depth += 1) [deep, states] = [{ in: deep }, { in: { states } }];
    expect(isStateValue({ states }, deep)).toBe(true);
    expect(isStateValue({ states: { in: {} } }, deep)).toBe(false);
    for (const odd of [null, 4, 'a', [{}], { a: null, b: 4 }])
      for (const value of ['a', 'b', '0', { a: {} }, {}, undefined])
        expect(isStateValue({ states: odd, type: 7 }, value)).toBe(
          !isObject(odd) && isObject(value) && Object.keys(value).length === 0,
        );
  });
});
