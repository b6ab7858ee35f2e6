import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runToEnd } from '../../../machines/cooperative.ts';
import { DETECTORS, type Finder, findersOf, type Span } from '../../../machines/redaction/detectors.ts';
import { KnownValues } from '../../../machines/redaction/known-values.ts';
import { type Path, parsePath } from '../../../machines/redaction/paths.ts';
import { Redactor } from '../../../machines/redaction/redactor.ts';
import { REDACTION_MODES } from '../../../machines/redaction/replacement.ts';
import { spansIn, spansInWindows } from '../../../machines/redaction/spans.ts';
import { sampleOf } from '../../support/properties.ts';

const PATHS = [parsePath('$.values[*]').path as Path];
/** What detectors look at, one by one, and whole. */
const PARTS = [
  ...'0123456789'.split(''),
  ...' .-/()+:@%_,a f x'.split(''),
  ...['é', '\u00a0', '😀', '\ud83d', '%40', '::', '000', '+49', '(030)', '4111', '4111111111111111', '555-123-4567'],
  ...['078-05-1120', '192.168.0.1', '2001:db8::1', '::ffff:10.0.0.1', 'ann@example.com', 'Ann Smith', '1.2.3.4.5', '.org'],
];
const parts = (maxLength: number) => fc.string({ unit: fc.constantFrom(...PARTS), maxLength });
const knownOf = (values: readonly string[]): KnownValues => KnownValues.of(PATHS, [{ values: [...values] }]);

/** What a finder finds in windows of such lengths, in turn. */
function inWindows(find: Finder, text: string, lengths: readonly number[]): readonly Span[] {
  const found: Span[] = [];
  for (let at = 0, i = 0; at < text.length; i += 1) {
    const next = find(text, at, Math.min(at + (lengths[i % lengths.length] ?? 1), text.length), found);
    expect(next).toBeGreaterThan(at);
    at = next;
  }
  return found;
}

describe('a text that is looked at in windows', () => {
  it.each(DETECTORS)('has the same findings of %s as at once, across the borders of the windows too', (name) => {
    fc.assert(
      fc.property(parts(60), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }), (text, lengths) => {
        for (const find of findersOf([name]))
          expect(inWindows(find, text, lengths)).toEqual(inWindows(find, text, [text.length]));
      }),
      { numRuns: sampleOf(3_000) },
    );
  });

  it('has the same known values', () => {
    fc.assert(
      fc.property(fc.array(parts(4), { maxLength: 6 }), parts(40), fc.integer({ min: 1, max: 9 }), (values, text, length) => {
        const known = knownOf(values);
        expect(inWindows(known.finder(text), text, [length])).toEqual(inWindows(known.finder(text), text, [text.length]));
      }),
      { numRuns: sampleOf(2_000) },
    );
  });

  it.each(REDACTION_MODES)('is redacted alike, by %s', (mode) => {
    const long = fc.array(parts(60), { minLength: 1, maxLength: 300 }).map((some) => some.join('').repeat(3));
    fc.assert(
      fc.property(long, fc.array(parts(4), { maxLength: 3 }), (text, values) => {
        const redactor = new Redactor({ paths: PATHS, detectors: DETECTORS, mode }, knownOf(values));
        expect(runToEnd(redactor.textInWindows(text))).toBe(redactor.text(text));
      }),
      { numRuns: sampleOf(100) },
    );
  });

  it('pauses at least once in some thousand characters', () => {
    const finders = findersOf(DETECTORS);
    for (const text of ['prose ', '4111 ', '+49 30 ', '10.0.0.1 ', 'a@b.co ', '1', 'f:'].map((part) => part.repeat(100_000))) {
      let pauses = 0;
      const computation = spansInWindows(text, finders);
      let step = computation.next();
      for (; step.done !== true; step = computation.next()) pauses += 1;
      expect(step.value).toEqual(spansIn(text, finders));
      expect(pauses).toBeGreaterThan(text.length / 4_096);
    }
  });

  it('pauses while many known values may be at each place', () => {
    const values = Array.from({ length: 500 }, (_, i) => `${'a'.repeat(400)}b${i}`);
    const text = 'a'.repeat(100_000);
    const known = knownOf(values);
    let pauses = 0;
    for (const computation = spansInWindows(text, [known.finder(text)]); computation.next().done !== true; ) pauses += 1;
    expect(pauses).toBeGreaterThan(5);
  });
});
