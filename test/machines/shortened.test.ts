import { describe, expect, it } from 'vitest';
import { fitted, shortened } from '../../machines/shortened.ts';

describe('a text that is cut for a message', () => {
  it('has no half of a surrogate pair at its end', () => {
    for (let max = 0; max < 6; max += 1) {
      expect(shortened('a😀b😀', max).isWellFormed()).toBe(true);
      expect(fitted('a😀b😀', max).isWellFormed()).toBe(true);
    }
    expect(shortened('a😀b', 2)).toBe('a…');
    expect(shortened('a😀b', 3)).toBe('a😀…');
  });

  it('stays whole if it fits, and is marked otherwise', () => {
    expect([shortened('abc', 3), shortened('abcd', 3)]).toEqual(['abc', 'abc…']);
    expect([fitted('abc', 3), fitted('abcd', 3)]).toEqual(['abc', 'ab…']);
  });
});
