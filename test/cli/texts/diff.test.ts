import { expect, it } from 'vitest';
import { paint } from '../../../src/cli/terminal/paint.ts';
import { changeText } from '../../../src/cli/texts/diff.ts';

function replaced(old: string, value: string): string {
  return changeText({ op: 'replace', path: '/text', old, value }, paint(false));
}

it('shows long values around their first difference', () => {
  const long = 'a workflow outlives the process that started it, and so do its promises';
  expect(replaced('1', '2')).toBe('~ /text  1 → 2');
  expect(replaced(`${long}.`, `${long}!`)).toBe('~ /text  …d so do its promises. → …d so do its promises!');
  expect(replaced(long, `${long} 🎉`)).toBe('~ /text  …d so do its promises → …d so do its promises 🎉');
  expect(replaced(`1${long}`, `2${long}`)).toMatch(/^~ \/text {2}1a workflow .*… → 2a workflow .*…$/);
});
