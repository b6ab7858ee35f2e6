import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { knownFields, unknownFields } from '../../../src/api/requests/known-fields.ts';

const Item = Type.Object({ text: Type.String(), metadata: Type.Optional(Type.Unsafe<object>({ type: 'object' })) });

function pathsOf(schema: object, value: unknown, limit = 10): readonly string[] {
  const known = knownFields(schema);
  return known === null ? [] : unknownFields(value, known, limit).map(({ path }) => path);
}

describe('unknown fields', () => {
  it('are found at every depth whose schema lists its fields', () => {
    const schema = Type.Object({
      items: Type.Array(Item),
      filter: Type.Union([Type.Object({ id: Type.String() }), Type.Null()]),
    });
    const value = { items: [{ text: 'a' }, { txt: 'b', metadata: { any: 1 } }], filter: { idd: 'x' }, itms: [] };
    expect(pathsOf(schema, value)).toEqual(['items.1.txt', 'filter.idd', 'itms']);
  });

  it('do not exist where a schema is open: any value, any object, records', () => {
    const schema = Type.Object({
      input: Type.Unsafe<unknown>({ description: 'Anything.' }),
      payload: Type.Unsafe<object>({ type: 'object' }),
      labels: Type.Record(Type.String(), Type.String()),
      card: Type.Object({ id: Type.String() }, { additionalProperties: true }),
    });
    expect(pathsOf(schema, { input: { a: 1 }, payload: { b: 1 }, labels: { c: 'd' }, card: { e: 1 } })).toEqual([]);
  });

  it('of a union are those that no member knows', () => {
    const schema = Type.Object({
      skill: Type.Union([Type.String(), Type.Object({ id: Type.String() }), Type.Object({ name: Type.String() })]),
    });
    expect(pathsOf(schema, { skill: { id: 'a', name: 'b', nmae: 'c' } })).toEqual(['skill.nmae']);
    expect(pathsOf(Type.Union([Type.Array(Item), Item]), { text: 'a', txet: 'b' })).toEqual(['txet']);
  });

  it('are not looked for in values of the wrong type', () => {
    const schema = Type.Object({ items: Type.Array(Item), one: Item });
    for (const value of [null, 1, 'text', [1], { items: { a: 1 }, one: [{ b: 1 }] }, { items: 'x', one: null }])
      expect(pathsOf(schema, value)).toEqual([]);
  });

  it('are reported up to a limit', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f${i}`, i]));
    expect(pathsOf(Type.Object({ items: Type.Array(Item) }), { items: [many, many] }, 7)).toHaveLength(7);
  });
});
