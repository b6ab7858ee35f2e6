import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { validate } from '../../../machines/validate/index.ts';

const GOLDEN = join(import.meta.dirname, '..', '..', 'golden');
const LONG = 'x'.repeat(20_000);
/** Of all diagnostics of a document, as JSON. */
const MAX_CHARS = 20_000;

/** Documents of all kinds of nodes. */
function documents(): readonly JsonObject[] {
  const files = readdirSync(GOLDEN).filter((name) => name.endsWith('.json') && !name.includes('.compiler-'));
  return files.map((name) => (JSON.parse(readFileSync(join(GOLDEN, name), 'utf8')) as { document: JsonObject }).document);
}

/** The places of the texts and keys of a value, by the names on the way to them with the values of lists at their ends. */
function* withLongTexts(value: Json): Generator<{ readonly place: string; readonly changed: Json }> {
  if (typeof value === 'string') yield { place: '', changed: LONG };
  if (Array.isArray(value))
    for (const [i, item] of (value as readonly Json[]).entries())
      for (const { place, changed } of withLongTexts(item))
        yield { place: `[]${place}`, changed: value.with(i, changed) as Json };
  if (!isObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    const { [key]: _, ...others } = value;
    yield { place: `.${key}!`, changed: { ...others, [LONG]: item } };
    for (const { place, changed } of withLongTexts(item))
      yield { place: `.${key}${place}`, changed: { ...value, [key]: changed } };
  }
}

describe('the problems of a document', () => {
  it('never repeat a long text of it, wherever it is', () => {
    const seen = new Set<string>();
    const long: string[] = [];
    for (const document of documents()) {
      for (const { place, changed } of withLongTexts(document)) {
        // One of each place is enough, whatever the ids of the nodes.
        const kind = place.replace(/^\.nodes\.[^.]+/, '.nodes');
        if (seen.has(kind)) continue;
        seen.add(kind);
        if (JSON.stringify(validate(changed).diagnostics).length > MAX_CHARS) long.push(place);
      }
    }
    expect(seen.size).toBeGreaterThan(200);
    expect(long).toEqual([]);
  });

  it('name two ids of a node that differ, cut', () => {
    const id = 'a'.repeat(900_000);
    const nodes = { [id]: { id: `${id}b`, kind: { type: 'wait' } } };
    const { diagnostics } = validate({ workflow_id: 'w', version: '1', nodes, edges: [] });
    expect(diagnostics[0]).toMatchObject({ severity: 'error', node_id: expect.stringMatching(/^a{256}…$/) });
    expect(JSON.stringify(diagnostics).length).toBeLessThan(2_000);
  });
});
