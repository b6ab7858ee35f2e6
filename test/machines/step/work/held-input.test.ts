import { expect, it } from 'vitest';
import { charsUpTo } from '../../../../machines/json-size.ts';
import { heldInput } from '../../../../machines/step/work/held-input.ts';
import { Driver } from '../../../support/driver.ts';
import { tool, workflow } from '../../../support/workflows.ts';

const MAX_CHARS = 65_536;

it('the input of a held node is shown if it has at most 65,536 characters', () => {
  const made = workflow([tool('a', { input_mapping: { text: '{{ state.text }}' } })]);
  const shown = (text: string) => {
    const { program, run } = new Driver(made, { input: { text } });
    return heldInput(program, run, { node: 'a' }, 'exec_1');
  };
  const longest = 'x'.repeat(MAX_CHARS - charsUpTo({ text: '' }, MAX_CHARS));
  expect(charsUpTo({ text: longest }, MAX_CHARS)).toBe(MAX_CHARS);
  expect(shown(longest)).toEqual({ text: longest });
  expect(shown(`${longest}x`)).toBeUndefined();
});
