import { describe, expect, it } from 'vitest';
import { closest, didYouMean } from '../../machines/suggest.ts';
import { cpuMs } from '../support/cpu.ts';

describe('the most similar name', () => {
  const names = ['fetch', 'review', 'ship', 'merge', 'b1', 'output_key'];

  it.each([
    ['ftch', 'fetch'],
    ['fecth', 'fetch'],
    ['Review', 'review'],
    ['reviewer', 'review'],
    ['shipp', 'ship'],
    ['b', 'b1'],
    ['ouput_key', 'output_key'],
  ])('of %s is %s', (name, expected) => {
    expect(closest(name, names)).toBe(expected);
  });

  it.each(['x', 'completely', 'payment', '', 'm'.repeat(1_000)])('of %j is none', (name) => {
    expect(closest(name, names)).toBe(null);
  });

  it('is the nearest one', () => {
    expect(closest('step_1', ['stop_2', 'step_2'])).toBe('step_2');
  });

  it('reads as a question', () => {
    expect(didYouMean('ftch', names)).toBe('did you mean "fetch"?');
    expect(didYouMean('payment', names)).toBe(null);
  });

  it('is found among thousands in time', () => {
    const many = Array.from({ length: 5_000 }, (_, i) => `${'node'.repeat(15)}${i}`);
    expect(cpuMs(() => closest(`${'nods'.repeat(15)}17`, many))).toBeLessThan(1_000);
  });
});
