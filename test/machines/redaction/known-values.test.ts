import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runToEnd } from '../../../machines/cooperative.ts';
import { KnownValues } from '../../../machines/redaction/known-values.ts';
import { type Path, parsePath } from '../../../machines/redaction/paths.ts';
import { spansIn } from '../../../machines/redaction/spans.ts';
import { sampleOf } from '../../support/properties.ts';

function known(values: readonly string[]): KnownValues {
  return KnownValues.of([parsePath('$.values[*]').path as Path], [{ values: [...values] }]);
}

const find = (values: KnownValues, text: string) => spansIn(text, [values.finder(text)]);

/** What `find` finds, in the time that it takes to compare each value at each place. */
function spansOf(values: readonly string[], text: string): { start: number; end: number }[] {
  const spans: { start: number; end: number }[] = [];
  for (let start = 0; start < text.length; start += 1) {
    const lengths = values.filter((value) => value.length >= 4 && text.startsWith(value, start)).map(({ length }) => length);
    if (lengths.length === 0) continue;
    spans.push({ start, end: start + Math.max(...lengths) });
    start += Math.max(...lengths) - 1;
  }
  return spans;
}

const texts = (maxLength: number) => fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength });

describe('known values', () => {
  it('are found where they are, the longest of those that begin at one place', () => {
    fc.assert(
      fc.property(fc.array(texts(9), { maxLength: 12 }), texts(40), (values, text) => {
        const forms = values.flatMap((value) => [value, encodeURIComponent(value)]);
        expect(find(known(values), text)).toEqual(spansOf(forms, text));
      }),
      { numRuns: sampleOf(2_000) },
    );
  });

  it('may begin at the end of a text that comes in parts', () => {
    fc.assert(
      fc.property(fc.array(texts(9), { maxLength: 12 }), texts(20), (values, text) => {
        const forms = values.flatMap((value) => [value, encodeURIComponent(value)]).filter(({ length }) => length >= 4);
        const isOpen = (rest: string): boolean => forms.some((value) => value.length > rest.length && value.startsWith(rest));
        const starts = [...text].flatMap((_character, i) => (isOpen(text.slice(i)) ? [i] : []));
        expect(runToEnd(known(values).openAt(text))).toBe(starts[0] ?? text.length);
      }),
      { numRuns: sampleOf(2_000) },
    );
  });

  it('replace the rest of a text in which looking for them would take minutes', () => {
    const values = Array.from({ length: 2_000 }, (_, i) => `${'a'.repeat(400)}b${i}`);
    expect(find(known(values), 'a'.repeat(500_000)).at(-1)).toMatchObject({ end: 500_000 });
    const long = [`${'a'.repeat(200_000)}b`];
    expect(find(known(long), 'a'.repeat(500_000)).at(-1)).toMatchObject({ end: 500_000 });
  });

  it('are found in a long text with thousands of places where many might be', () => {
    const values = Array.from({ length: 2_000 }, (_, i) => `customer-${10_000 + i}`);
    expect(find(known(values), `${values.join(' ')} customer-1 `.repeat(20))).toHaveLength(40_000);
  });
});
