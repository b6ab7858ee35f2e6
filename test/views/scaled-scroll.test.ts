import { describe, expect, it } from 'vitest';
import { ScaledScroll } from '../../src/views/scaled-scroll.ts';

const VIEWPORT = 700;
const ROW = 36;

function scrollOf(rows: number): ScaledScroll {
  const scroll = new ScaledScroll();
  scroll.resize({ rows, rowHeight: ROW, viewport: VIEWPORT });
  return scroll;
}

describe('the scroll position of a list', () => {
  it('is that of the element while the element may be as high as the list', () => {
    const scroll = scrollOf(1_000);
    expect(scroll.height).toBe(36_000);
    expect(scroll.scrolled(720)).toBe(null);
    expect(scroll.visible).toEqual({ first: 20, end: 40 });
    expect(scroll.topOf(20)).toBe(720);
    expect(scroll.rested()).toBe(null);
  });

  it('shows no rows of an empty list', () => {
    expect(scrollOf(0).visible).toEqual({ first: 0, end: 0 });
  });

  it('moves by single pixels in a list of a million rows', () => {
    const scroll = scrollOf(1_000_000);
    expect(scroll.height).toBe(10_000_000);
    let native = 5_000_000;
    scroll.scrolled(native);
    scroll.rested();
    const { first } = scroll.visible;
    for (let moved = 0; moved < 36 * 100; moved += 100) native = scroll.scrolled(native + 100) ?? native + 100;
    expect(scroll.visible.first).toBe(first + 100);
  });

  it('reaches every part of the list by dragging', () => {
    const scroll = scrollOf(1_000_000);
    const end = scroll.height - VIEWPORT;
    scroll.scrolled(end);
    expect(scroll.visible.end).toBe(1_000_000);
    scroll.scrolled(end / 2);
    expect(scroll.visible.first).toBeCloseTo(500_000, -2);
    // Near the top, the bar moves by few pixels.
    scroll.scrolled(100);
    expect(scroll.scrolled(0)).toBe(null);
    expect(scroll.isAtTop).toBe(true);
  });

  it('does not end before the list does when it is scrolled in small steps', () => {
    const scroll = scrollOf(1_000_000);
    const end = scroll.height - VIEWPORT;
    scroll.scrolled(9_990_000);
    let native = scroll.rested() ?? 9_990_000;
    for (let steps = 0; native < end; steps++) {
      expect(steps).toBeLessThan(1_000);
      const next = Math.min(native + 400, end);
      native = scroll.scrolled(next) ?? next;
    }
    expect(scroll.visible).toEqual({ first: 999_980, end: 1_000_000 });
  });

  it('keeps the row at the top when rows are added, and when rows above it are gone', () => {
    const scroll = scrollOf(400_000);
    scroll.scrolled(8_000_000);
    scroll.rested();
    const { first } = scroll.visible;
    scroll.resize({ rows: 500_000, rowHeight: ROW, viewport: VIEWPORT });
    expect(scroll.visible.first).toBe(first);
    scroll.moveBy(-10);
    expect(scroll.visible.first).toBe(first - 10);
  });

  it('reveals a row with the least movement', () => {
    const scroll = scrollOf(1_000);
    expect(scroll.reveal(5)).toBe(null);
    expect(scroll.reveal(100)).toBe(101 * ROW - VIEWPORT);
    expect(scroll.reveal(50)).toBe(50 * ROW);
  });

  it('places the visible rows where the element is', () => {
    const scroll = scrollOf(1_000_000);
    scroll.scrolled(4_321_000);
    const { first } = scroll.visible;
    expect(Math.abs(scroll.topOf(first) - 4_321_000)).toBeLessThanOrEqual(ROW);
  });
});
