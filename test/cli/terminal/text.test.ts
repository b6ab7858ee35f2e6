import { describe, expect, it } from 'vitest';
import { cut, cutPainted, width } from '../../../src/cli/terminal/text.ts';

const RED = '\u001b[31m';
const PLAIN = '\u001b[39m';

describe('cutting text', () => {
  it('keeps text that fits', () => {
    expect(cut('abc', 3)).toBe('abc');
    expect(cutPainted(`${RED}abc${PLAIN}`, 3)).toBe(`${RED}abc${PLAIN}`);
  });

  it.each([1, 2, 3, 7, 8])('to %i columns is never wider, in any script and paint', (columns) => {
    for (const text of ['abcdefghij', '漢字漢字漢字', `${RED}abc${PLAIN}def${RED}ghij${PLAIN}`, 'a\u0301b\u0301cdefghij'])
      expect(width(cutPainted(text, columns))).toBeLessThanOrEqual(columns);
  });

  it('resets the paint at the cut', () => {
    expect(cutPainted(`ab${RED}cdef${PLAIN}`, 4)).toBe(`ab${RED}c…\u001b[0m`);
  });
});
