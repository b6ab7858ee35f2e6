import { describe, expect, it } from 'vitest';
import { InputAllowance } from '../../../../machines/step/context/evaluation.ts';

const MIB = 1024 * 1024;

describe('the inputs that one step records', () => {
  it('fit 8 MiB together; one that does not fit leaves room for a smaller one', () => {
    const allowance = new InputAllowance(undefined);
    const taken = [3, 3, 3, 2, 1].map((size) => allowance.take(null, size * MIB));
    expect(taken).toEqual([true, true, false, true, false]);
  });

  it('are measured if their size is not known', () => {
    const allowance = new InputAllowance(undefined);
    expect(allowance.take('x'.repeat(5 * MIB))).toBe(true);
    expect(allowance.take('x'.repeat(5 * MIB))).toBe(false);
  });

  it('are evaluated with one budget', () => {
    const allowance = new InputAllowance(undefined);
    expect(allowance.budget).toBe(allowance.budget);
  });
});
