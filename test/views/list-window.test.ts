import { describe, expect, it } from 'vitest';
import { appended, joined, rowAt, shiftOf } from '../../src/views/list-window.ts';

const rows = (...ids: readonly string[]) => ids.map((id) => ({ id }));

describe('the loaded part of a list', () => {
  it('grows by the rows behind it, none of them twice', () => {
    const window = appended({ start: 5, rows: rows('f', 'e', 'd') }, rows('d', 'c', 'b'), 100);
    expect(window).toEqual({ start: 5, rows: rows('f', 'e', 'd', 'c', 'b') });
    expect(rowAt(window, 8)).toEqual({ id: 'c' });
    expect(rowAt(window, 4)).toBe(null);
    expect(rowAt(window, 10)).toBe(null);
  });

  it('drops the rows at its beginning when there are too many', () => {
    const ids = Array.from({ length: 500 }, (_, index) => ({ id: String(9_999 - index) }));
    const next = Array.from({ length: 200 }, (_, index) => ({ id: String(9_499 - index) }));
    const window = appended({ start: 0, rows: ids }, next, 600);
    expect(window.start).toBe(100);
    expect(window.rows).toHaveLength(600);
    expect(rowAt(window, 699)).toEqual({ id: '9300' });
  });

  it('grows by the rows in front of it', () => {
    const before = { start: 12, rows: rows('d', 'c') };
    expect(joined(before, { start: 10, rows: rows('f', 'e', 'd') }, 100)).toEqual({ start: 10, rows: rows('f', 'e', 'd', 'c') });
  });

  it('is replaced by rows from elsewhere', () => {
    const next = { start: 100, rows: rows('b', 'a') };
    expect(joined({ start: 0, rows: rows('z', 'y') }, next, 100)).toBe(next);
    expect(joined({ start: 0, rows: [] }, next, 100)).toBe(next);
  });

  it('tells by how many rows the visible ones move', () => {
    const before = { start: 10, rows: rows('f', 'e', 'd', 'c') };
    expect(shiftOf(before, { start: 10, rows: rows('f', 'e', 'd') }, 11)).toBe(0);
    // The first visible row has left the list, and the next one is one row further up.
    expect(shiftOf(before, { start: 10, rows: rows('f', 'd', 'c') }, 11)).toBe(-1);
    expect(shiftOf(before, { start: 7, rows: rows('f', 'e') }, 10)).toBe(-3);
    expect(shiftOf(before, { start: 40, rows: rows('b', 'a') }, 10)).toBe(0);
  });
});
