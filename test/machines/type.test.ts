import { Type as TypeBox } from 'typebox';
import { describe, expect, it } from 'vitest';
import { Type } from '../../machines/type.ts';

type Constructors = typeof Type;

/** All of an object: what JSON has of it, in order, then the hidden properties. */
function whole(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const all = Object.entries(Object.getOwnPropertyDescriptors(value));
  const [json, hidden] = [true, false].map((isJson) => all.filter(([, { enumerable }]) => enumerable === isJson));
  const entries = [json, hidden?.sort(([a], [b]) => (a < b ? -1 : 1))];
  return entries.map((of) => of?.map(([name, descriptor]) => [name, whole(descriptor.value)]));
}

const Size = {
  small: 0,
  0: 'small',
  large: 'l',
} as const;

const SCHEMAS: { readonly [Name in keyof Constructors]: (type: Constructors) => readonly unknown[] } = {
  Any: ({ Any }) => [Any(), Any({ title: 'a' })],
  Array: (type) => [type.Array(type.String()), type.Array(type.String(), { minItems: 1 })],
  Boolean: (type) => [type.Boolean(), type.Boolean({ default: true })],
  Enum: (type) => [type.Enum(['a', 'b']), type.Enum(Size), type.Enum({ up: 'u', down: 'd' }, { title: 'a' })],
  Integer: (type) => [type.Integer(), type.Integer({ minimum: 0 })],
  Intersect: (type) => [type.Intersect([type.Object({ a: type.String() }), type.Object({ b: type.String() })], { title: 'a' })],
  Literal: (type) => [type.Literal('a'), type.Literal(1), type.Literal(true, { title: 'a' })],
  Null: (type) => [type.Null(), type.Null({ title: 'a' })],
  Number: (type) => [type.Number(), type.Number({ exclusiveMinimum: 0 })],
  Object: (type) => [
    type.Object({}),
    type.Object({ a: type.String(), b: type.Optional(type.Number()) }, { additionalProperties: false }),
    type.Object({ b: type.Optional(type.Number()) }),
  ],
  Optional: (type) => [
    type.Optional(type.String({ title: 'a' })),
    type.Optional(type.Optional(type.Unsafe<Date>({ title: 'a' }))),
  ],
  Partial: (type) => [
    type.Partial(type.Object({ a: type.String(), b: type.Optional(type.Number()) }, { title: 'a' })),
    type.Partial(type.Object({ a: type.String() }), { title: 'b' }),
  ],
  Record: (type) => [
    type.Record(type.String(), type.Number()),
    type.Record(type.Integer(), type.Number(), { title: 'a' }),
    type.Record(type.Number(), type.Number()),
    type.Record(type.String({ pattern: '^a' }), type.Number()),
    type.Record(type.Enum(['a', 'b']), type.Number(), { title: 'a' }),
  ],
  String: (type) => [type.String(), type.String({ format: 'date-time' })],
  Tuple: (type) => [type.Tuple([type.String(), type.Number()], { title: 'a' }), type.Tuple([])],
  Union: (type) => [type.Union([type.String(), type.Null()]), type.Union([], { title: 'a' })],
  Unknown: (type) => [type.Unknown(), type.Unknown({ title: 'a' })],
  Unsafe: (type) => [type.Unsafe<Date>({ type: 'string' }), type.Unsafe<Date>(type.String())],
};

describe('the constructors of schemas', () => {
  it.each(Object.keys(SCHEMAS) as (keyof Constructors)[])('make the schemas of TypeBox: %s', (name) => {
    expect(Object.keys(Type)).toContain(name);
    expect(whole(SCHEMAS[name](Type))).toEqual(whole(SCHEMAS[name](TypeBox)));
  });

  it('refuse the keys of a record that they do not know', () => {
    expect(() => Type.Record(Type.Literal('a'), Type.Number())).toThrow('String, Number, Integer or Enum, not Literal');
  });
});
