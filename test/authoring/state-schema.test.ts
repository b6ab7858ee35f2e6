import { describe, expect, it } from 'vitest';
import { compiled, problems } from './compile.ts';

const schema = (text: string) => compiled(`workflow: { id: w, state_schema: ${text} }\nnodes: { a: {} }`).state_schema;
const property = (type: string) => (schema(`{ k: ${type} }`) as { properties: { k: unknown } }).properties.k;

describe('the state schema', () => {
  it('is a class name unchanged', () => expect(schema('schemas.State')).toBe('schemas.State'));

  it('is a JSON Schema unchanged', () => {
    const given = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
    expect(schema(JSON.stringify(given))).toEqual(given);
  });

  it.each([
    ['str', { type: 'string' }],
    ['int', { type: 'integer' }],
    ['float', { type: 'number' }],
    ['bool', { type: 'boolean' }],
    ['list', { type: 'array' }],
    ['"list[str]"', { type: 'array', items: { type: 'string' } }],
    ['"list[dict[str, int]]"', { type: 'array', items: { type: 'object' } }],
    ['dict', { type: 'object' }],
    ['"dict[str, int]"', { type: 'object' }],
    ['str?', { type: ['string', 'null'] }],
    ['str | None', { type: ['string', 'null'] }],
    ['"Optional[int]"', { type: ['integer', 'null'] }],
    ['any', {}],
    ['', {}],
    ['{ type: str, description: d }', { type: 'string', description: 'd' }],
  ])('reads the short form %s', (type, expected) => expect(property(type)).toEqual(expected));

  it('has a key called "type" like any other', () => {
    expect(schema('{ type: str, name: str }')).toEqual({
      type: 'object',
      properties: { type: { type: 'string' }, name: { type: 'string' } },
    });
  });

  it('warns of an unknown type', () => {
    expect(problems('workflow:\n  id: w\n  state_schema:\n    a: string\n    b: strang\n    c: 5\nnodes: { a: {} }')).toEqual([
      '5:8 warning unknown_type',
      '6:8 warning unknown_type',
    ]);
  });

  it('cannot be a list', () =>
    expect(problems('workflow: { id: w, state_schema: [a] }\nnodes: { a: {} }')).toEqual(['1:34 error wrong_type']));
});
