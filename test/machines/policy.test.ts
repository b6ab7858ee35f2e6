import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesGlob } from '../../machines/policy.ts';
import { sampleOf } from '../support/properties.ts';

const character = fc.constantFrom('a', 'b', '.', '*', '?', '💥', '\ud800');
const text = fc.array(character, { maxLength: 8 }).map((characters) => characters.join(''));

describe('a glob', () => {
  it('matches what a regular expression with the same meaning matches', () => {
    fc.assert(
      fc.property(text, text, (glob, name) => {
        const source = [...glob].map((one) => (one === '*' ? '.*' : one === '?' ? '.' : one.replace('.', '\\.'))).join('');
        expect(matchesGlob(glob, name)).toBe(new RegExp(`^${source}$`, 'su').test(name));
      }),
      { numRuns: sampleOf(2_000) },
    );
  });
});
