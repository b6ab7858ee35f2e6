import { expect, it } from 'vitest';
import { clamp } from './clamp.ts';

it('keeps a value between bounds', () => {
  expect(clamp(1, 2, 4)).toBe(2);
  expect(clamp(6, 2, 4)).toBe(4);
});
