import { describe, expect, it } from 'vitest';
import { stateSchemas } from '../../src/views/state-schema.ts';

describe('stateSchemas', () => {
  it('requires no key of a state, and closes the input of a strict workflow only', () => {
    const schema = { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] };
    expect(stateSchemas({ state_schema: schema })).toEqual({
      state: { type: 'object', properties: { amount: { type: 'number' } } },
      input: { type: 'object', properties: { amount: { type: 'number' } } },
    });
    expect(stateSchemas({ state_schema: schema, strict_input: true }).input).toEqual({ ...schema, additionalProperties: false });
  });

  it('reads a schema that is text, and a map of types by key', () => {
    const { state } = stateSchemas({ state_schema: '{"amount": {"type": "number"}, "note": "text"}' });
    expect(state).toEqual({ properties: { amount: { type: 'number' }, note: {} } });
  });

  it.each([[undefined], ['app.State'], ['{ broken'], [{}]])('finds no schema in %j', (raw) => {
    expect(stateSchemas(raw === undefined ? {} : { state_schema: raw })).toEqual({ state: null, input: null });
  });
});
