import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { type FormProperty, formProperties, writtenText, writtenValue } from '../../src/views/request-form.ts';

const Body = Type.Object({
  name: Type.String({ maxLength: 16, description: 'A name.' }),
  role: Type.Enum(['viewer', 'operator']),
  queues: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()], { description: 'Queues.' })),
  steps: Type.Optional(Type.Integer({ minimum: 1 })),
  share: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
  enabled: Type.Optional(Type.Boolean()),
  input: Type.Optional(Type.Unsafe({ description: 'Anything.' })),
  items: Type.Optional(Type.Array(Type.Object({}))),
});
const properties = formProperties(Body as object as JsonObject);

function property(name: string): FormProperty {
  const found = properties.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no property ${name}`);
  return found;
}

describe('a form for the body of a request', () => {
  it('has a control for each property of the schema, in its order', () => {
    expect(properties.map(({ name, control }) => [name, control])).toEqual([
      ['name', 'text'],
      ['role', 'choice'],
      ['queues', 'list'],
      ['steps', 'number'],
      ['share', 'number'],
      ['enabled', 'check'],
      ['input', 'json'],
      ['items', 'json'],
    ]);
  });

  it('takes the description from outside and the limits from inside of what may be null', () => {
    expect(property('name')).toMatchObject({ isRequired: true, isNullable: false, description: 'A name.' });
    expect(property('queues')).toMatchObject({ isRequired: false, isNullable: true, description: 'Queues.' });
    expect(property('queues').schema.type).toBe('array');
    expect(property('steps').schema.minimum).toBe(1);
  });

  it('has no properties without an object schema', () => {
    expect(formProperties({})).toEqual([]);
  });

  it.each([
    ['name', ' ann ', 'ann'],
    ['name', '  ', undefined],
    ['role', 'viewer', 'viewer'],
    ['queues', 'gpu, large models,', ['gpu', 'large models']],
    ['queues', '', null],
    ['steps', '3', 3],
    ['steps', '', undefined],
    ['share', '0.5', 0.5],
    ['share', '', null],
    ['enabled', 'true', true],
    ['enabled', '', false],
  ])('reads %s from %j', (name, text, value) => {
    expect(writtenValue(property(name), text)).toEqual(value);
  });

  it('writes values as they are read', () => {
    for (const [name, value] of [
      ['name', 'ann'],
      ['queues', ['gpu', 'large models']],
      ['share', 0.5],
      ['enabled', true],
      ['enabled', false],
      ['queues', null],
    ] as const)
      expect(writtenValue(property(name), writtenText(value as never))).toEqual(value);
    expect(writtenText(undefined)).toBe('');
  });
});
