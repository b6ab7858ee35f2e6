import { describe, expect, it } from 'vitest';
import { fieldOfProblem, fieldTexts, formInput, inputFields } from '../../src/views/input-form.ts';

const SCHEMA = {
  type: 'object',
  properties: {
    customer: { type: 'string', description: 'Who asks.' },
    amount: { type: 'number', default: 10 },
    count: { type: ['integer', 'null'] },
    reason: { enum: ['damaged', 2, null], default: 2 },
    express: { type: 'boolean' },
    items: { type: 'array', items: { type: 'string' }, default: ['a'] },
    anything: {},
  },
  required: ['customer'],
};
const fields = inputFields(SCHEMA);

describe('the form of an input', () => {
  it('has a control for each key, with its default', () => {
    expect(fields.map(({ key, control, initial, isRequired }) => [key, control, initial, isRequired])).toEqual([
      ['customer', 'text', '', true],
      ['amount', 'number', '10', false],
      ['count', 'integer', '', false],
      ['reason', 'choice', '1', false],
      ['express', 'boolean', '', false],
      ['items', 'json', '[\n  "a"\n]', false],
      ['anything', 'json', '', false],
    ]);
    expect(inputFields(null)).toEqual([]);
    expect(inputFields({ type: 'object' })).toEqual([]);
    expect(inputFields({ amount: { type: 'number' } }).map(({ key, control }) => [key, control])).toEqual([['amount', 'number']]);
  });

  it('makes an input of what is written, and leaves out what is empty', () => {
    const texts = { customer: ' Ada\n', amount: '1e2', count: '3', reason: '2', express: 'false', items: '[1]', anything: '' };
    expect(formInput(fields, texts, { more: 1 })).toEqual({
      input: { customer: ' Ada\n', amount: 100, count: 3, reason: null, express: false, items: [1], more: 1 },
      problems: {},
    });
  });

  it('says by key what is wrong', () => {
    const { input, problems } = formInput(fields, { amount: 'many', count: '1.5', items: '[' });
    expect(input).toEqual({});
    expect(problems).toEqual({
      customer: 'is required',
      amount: 'must be a number',
      count: 'must be a whole number',
      items: expect.stringMatching(/^is no JSON: /),
    });
  });

  it('shows an input that was written as JSON, and keeps the keys that have no field', () => {
    const input = { customer: 'Ada', amount: 5, reason: 'damaged', express: true, items: [], unknown: { deep: 1 } };
    const { texts, others } = fieldTexts(fields, input);
    expect(others).toEqual({ unknown: { deep: 1 } });
    expect(formInput(fields, texts, others)).toEqual({ input, problems: {} });
  });

  it('finds the field that a problem is about', () => {
    expect(fieldOfProblem(fields, 'amount must be >= 0')).toBe('amount');
    expect(fieldOfProblem(fields, 'items.0 must be string')).toBe('items');
    expect(fieldOfProblem(fields, 'unknown key "amounts"')).toBeNull();
  });
});
