import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { checkWorkflow } from '../../src/authoring/check.ts';
import { parseWorkflow } from '../support/parse-workflow.ts';
import { sampleOf } from '../support/properties.ts';

const EXAMPLES = ['refund-approval', 'order-fulfilment', 'data-pipeline', 'drafting-loop', 'fastest-quote'].map((name) =>
  readFileSync(`examples/${name}/workflow.yaml`, 'utf8'),
);

/** Typing errors and hostile input. */
const SCRAPS = [
  '\t',
  ': ',
  '- ',
  '[',
  '}',
  '{{',
  '"',
  "'",
  '&a ',
  '*a',
  '<<: *a',
  '!!x ',
  '|',
  '>-',
  '~',
  '#',
  '\n---\n',
  '? ',
  '\u0000',
  '\ud83d',
  '__proto__: 1',
  'constructor: {}',
  '1e999',
  '.nan',
  '0x1F',
  'next: [',
  'nodes:\n',
  'end',
];

const edit = fc.record({
  at: fc.nat(),
  remove: fc.nat({ max: 12 }),
  insert: fc.oneof(fc.constantFrom(...SCRAPS), fc.string({ maxLength: 6 })),
});

const damaged = fc.tuple(fc.constantFrom(...EXAMPLES), fc.array(edit, { minLength: 1, maxLength: 6 })).map(([text, edits]) =>
  edits.reduce((sofar, { at, remove, insert }) => {
    const place = at % (sofar.length + 1);
    return sofar.slice(0, place) + insert + sofar.slice(place + remove);
  }, text),
);

function expectPlaces(text: string): void {
  const { document, diagnostics } = checkWorkflow(text, 'workflow.yaml');
  const lines = text.split(/\r\n|[\n\r]/).length;
  for (const { line, column } of diagnostics) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines);
    expect(column).toBeGreaterThanOrEqual(1);
  }
  expect(document === null).toBe(diagnostics.some(({ severity }) => severity === 'error'));
  if (document !== null) expect(JSON.parse(JSON.stringify(document))).toEqual(document);
}

describe('any file', () => {
  it('is read without a crash: damaged examples', () => {
    fc.assert(fc.property(damaged, expectPlaces), { numRuns: sampleOf(200) });
  });

  it('is read without a crash: any text', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc
        .array(fc.constantFrom(...SCRAPS, 'workflow:', 'id: a', ' ', '\n', '  '), { maxLength: 30 })
        .map((parts) => parts.join('')),
    );
    fc.assert(fc.property(texts, expectPlaces), { numRuns: sampleOf(300) });
  });

  it('is the same document in JSON and in YAML', () => {
    const name = fc.string({ minLength: 1, maxLength: 8 }).filter((key) => key !== '__proto__' && key !== '<<');
    const document = fc
      .dictionary(name, fc.jsonValue({ maxDepth: 4 }), { maxKeys: 5 })
      .map((rest): Record<string, unknown> => ({ workflow_id: 'w', ...JSON.parse(JSON.stringify(rest)) }))
      .filter(
        (candidate) => !('tools' in candidate || 'ir' in candidate) && !/"(__proto__|<<)":/.test(JSON.stringify(candidate)),
      );
    fc.assert(
      fc.property(document, (given) => {
        for (const text of [JSON.stringify(given), JSON.stringify(given, null, 2), stringify(given)]) {
          const read = parseWorkflow(text, 'w.json');
          expect(read.diagnostics.filter(({ code }) => code !== 'rounded_number')).toEqual([]);
          expect(read.document).toEqual(given);
        }
      }),
      { numRuns: sampleOf(200) },
    );
  });
});
