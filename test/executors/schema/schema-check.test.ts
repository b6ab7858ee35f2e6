import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { inputCheck, inputSchemaProblem } from '../../../src/executors/input-schema.ts';
import { outputCheck } from '../../../src/executors/output-schema.ts';

const PATTERN = { type: 'object', properties: { text: { pattern: '^(a+)+$' } } };
const SLOW = { text: `${'a'.repeat(40)}!` };

/** Thirty definitions, each of which tries the next one twice. */
const DOUBLING: JsonObject = {
  $ref: '#/$defs/d0',
  $defs: Object.fromEntries([
    ...Array.from({ length: 30 }, (_, level) => {
      const next = { $ref: `#/$defs/d${level + 1}` };
      return [`d${level}`, { anyOf: [next, next] }];
    }),
    ['d30', { type: 'string' }],
  ]),
};

/** What the promise gives, and how often the event loop goes round meanwhile. */
async function meanwhile<T>(promise: Promise<T>): Promise<{ readonly value: T; readonly turns: number }> {
  let isOver = false;
  const done = promise.finally(() => {
    isOver = true;
  });
  let turns = 0;
  while (!isOver) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  return { value: await done, turns };
}

describe('a check by a schema that takes long', () => {
  it.each<[string, JsonObject, Json]>([
    ['pattern', PATTERN, SLOW],
    ['chain of references', DOUBLING, 7],
  ])('is stopped, and lets the event loop go on: %s', async (_, schema, value) => {
    const { value: problem, turns } = await meanwhile(inputCheck(schema)(value));
    expect(problem).toBe('it takes too long to be checked');
    expect(turns).toBeGreaterThan(50);
    const output = await outputCheck(schema)();
    expect((await meanwhile(Promise.resolve(output(value)))).value).toBe('it takes too long to be checked');
  });

  it('gives the same answers for values that it can check', async () => {
    const { text } = PATTERN.properties;
    const schema = { properties: { text, n: {} }, required: ['n'], additionalProperties: false };
    const check = inputCheck(schema);
    const given: readonly Json[] = [{ text: 'aaa', n: 1 }, { text: 'b' }, { txt: 'a', n: 1 }];
    const before = await Promise.all(given.map(check));
    expect(before).toEqual([null, expect.stringContaining('n is required'), expect.stringContaining('did you mean "text"?')]);
    await check({ ...SLOW, n: 1 });
    expect(await Promise.all(given.map(check))).toEqual(before);
  });

  it('holds up one of another schema once, however many there are of it', async () => {
    const [one, other] = [inputCheck(PATTERN), inputCheck({ ...PATTERN, title: 'another' })];
    await Promise.all([one(SLOW), other(SLOW)]);
    let done = 0;
    const many = Promise.all([1, 2, 3, 4].map(() => one(SLOW).then(() => (done += 1))));
    expect(await other({ text: 'a' })).toBe(null);
    expect(done).toBeLessThanOrEqual(2);
    await many;
  });
});

it('a schema that is none cannot be used', async () => {
  expect(await inputSchemaProblem({ type: 'txt' })).toContain('type');
  expect(await inputSchemaProblem({ $ref: '#/$defs/none' })).toContain('resolve');
  expect(await inputSchemaProblem(DOUBLING)).toBe(null);
  await expect(outputCheck({ type: 'txt' })()).rejects.toMatchObject({ errorClass: 'validation', retryable: false });
});
