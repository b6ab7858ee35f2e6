import { describe, expect, it } from 'vitest';
import { fitRows } from '../../../src/cli/terminal/fit.ts';

const TITLES = ['ID', 'WORKFLOW', 'ERROR'];
const SHRINKABLE = [
  { at: 2, min: 8, optional: true },
  { at: 1, min: 8 },
];
const ROWS = [
  ['1', 'order-fulfilment 1.0.0', 'charge: card declined'],
  ['2', 'short', ''],
];

describe('fitting rows', () => {
  it('changes nothing if they fit', () => {
    expect(fitRows(TITLES, ROWS, 80, SHRINKABLE)).toEqual(ROWS);
  });

  it('cuts the first column that may be cut, and leaves it out when little is left of it', () => {
    expect(fitRows(TITLES, ROWS, 40, SHRINKABLE)[0]).toEqual(['1', 'order-fulfilment 1.0.0', 'charge: car…']);
    expect(fitRows(TITLES, ROWS, 30, SHRINKABLE)[0]).toEqual(['1', 'order-fulfilment 1.0.0', '']);
  });

  it('then cuts the next one, but not below its least width', () => {
    expect(fitRows(TITLES, ROWS, 22, SHRINKABLE)).toEqual([
      ['1', expect.stringMatching(/^order-ful.*…$/), ''],
      ['2', 'short', ''],
    ]);
    expect(fitRows(TITLES, ROWS, 5, SHRINKABLE)[0]?.[1]).toBe('order-f…');
  });
});
