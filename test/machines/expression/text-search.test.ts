import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexOfText, splitText } from '../../../machines/expression/text-search.ts';
import { sampleOf } from '../../support/properties.ts';

const texts = (maxLength: number) => fc.string({ unit: fc.constantFrom('a', 'b'), maxLength });
/** Long enough for the linear search, and found often. */
const long = texts(4).map((end) => 'ab'.repeat(18) + end);
const made = fc.tuple(long, fc.array(texts(6), { maxLength: 6 })).map(([part, between]) => ({ part, text: between.join(part) }));

describe('a search in linear time', () => {
  it('finds what the engine finds', () => {
    fc.assert(
      fc.property(made, fc.nat(80), ({ part, text }, from) => {
        expect(indexOfText(text, part, from)).toBe(text.indexOf(part, from));
      }),
      { numRuns: sampleOf(1_000) },
    );
  });

  it('splits as the engine splits', () => {
    fc.assert(
      fc.property(made, fc.nat(5), ({ part, text }, limit) => {
        expect(splitText(text, part, limit)).toEqual(text.split(part, limit));
      }),
      { numRuns: sampleOf(1_000) },
    );
  });

  it('looks for a long part that resembles the text everywhere', () => {
    const half = 'a'.repeat(400_000);
    const part = `${half}b${half}`;
    for (let i = 0; i < 20; i += 1) expect(indexOfText('a'.repeat(1_000_000), part, 0)).toBe(-1);
    expect(splitText('a'.repeat(1_000_000), part, 10)).toHaveLength(1);
  });
});
