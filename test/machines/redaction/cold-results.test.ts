import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataPolicy } from '../../../machines/ir/data-policy.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { ColdResults } from '../../../machines/redaction/cold-results.ts';
import { redactedData } from '../../../machines/redaction/redacted-event.ts';
import { REDACTION_MODES } from '../../../machines/redaction/replacement.ts';
import { DataRules } from '../../../machines/redaction/rules.ts';
import { sampleOf } from '../../support/properties.ts';

type Mode = (typeof REDACTION_MODES)[number];
const POLICY: Omit<DataPolicy, 'redaction_mode'> = {
  pii_fields: ['$.name', '$.list[*].name', '$..secret'],
  pii_detectors: ['email', 'credit_card'],
  retain_prompts: true,
  retain_outputs: true,
};
const rulesBy = (redaction_mode: Mode) => new DataRules({ ...POLICY, redaction_mode }, new Map());

/** Texts of some thousand characters, lists and objects of some hundred values. */
const text = fc.oneof(
  fc.constantFrom('Ann Smith', 'ann@example.com', 'é', 'prose'),
  fc.tuple(fc.constantFrom('ann@b.co ', '4111 1111 1111 1111, ', 'Ann '), fc.nat(300)).map(([part, n]) => part.repeat(n)),
);
const scalar = fc.oneof(text, fc.constantFrom(4111111111111111, 7, true, null));
const repeated = (some: fc.Arbitrary<Json>) =>
  fc.tuple(some, fc.nat(300)).map(([one, n]): Json => Array.from({ length: n }, () => one));
const record = (of: fc.Arbitrary<Json>) =>
  fc.dictionary(fc.constantFrom('name', 'list', 'secret', 'a@b.co', 'b'), of, { noNullPrototype: true });
const value = fc.oneof(scalar, record(scalar), record(fc.oneof(record(scalar), repeated(scalar))), repeated(record(scalar)));
const object = fc.dictionary(fc.constantFrom('name', 'list', 'text'), value, {
  noNullPrototype: true,
}) as fc.Arbitrary<JsonObject>;

describe('what takes long and is redacted in slices', () => {
  it.each(REDACTION_MODES)('is the same as when it is redacted at once, by %s', (mode) => {
    fc.assert(
      fc.property(object, object, (state, output) => {
        const shown = (rules = rulesBy(mode)) => {
          // A computation that is carried out again makes its objects again.
          const redactor = rules.stored([{ ...state }, output]);
          return [redactor.root({ ...state }), redactedData(redactor, { output, output_key: 'list', input: { ...state } })];
        };
        const cold = new ColdResults();
        const rules = rulesBy(mode);
        let result = cold.collect(() => shown(rules));
        for (let passes = 1; !cold.isEmpty; passes += 1) {
          expect(passes).toBeLessThan(5);
          for (const computation = cold.compute(); computation.next().done !== true; );
          result = cold.collect(() => shown(rules));
        }
        expect(result).toEqual(shown());
      }),
      { numRuns: sampleOf(60) },
    );
  });
});
