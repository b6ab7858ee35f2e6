import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../machines/json.ts';
import { DETECTORS } from '../../../machines/redaction/detectors.ts';
import { KnownValues } from '../../../machines/redaction/known-values.ts';
import { type Path, parsePath } from '../../../machines/redaction/paths.ts';
import { redactedData } from '../../../machines/redaction/redacted-event.ts';
import { Redactor } from '../../../machines/redaction/redactor.ts';
import type { RedactionMode } from '../../../machines/redaction/replacement.ts';
import { StreamRedactor } from '../../../machines/redaction/stream-redactor.ts';

function redactor(paths: readonly string[], roots: readonly Json[] = [], mode: RedactionMode = 'mask'): Redactor {
  const parsed = paths.map((path) => parsePath(path).path as Path);
  return new Redactor({ paths: parsed, detectors: DETECTORS, mode }, KnownValues.of(parsed, roots));
}

const STATE = {
  patient: { name: 'Ann Smith', ssn: '078-05-1120', age: 42 },
  orders: [{ card: 4111111111111111, n: 1 }],
  note: 'fine',
};

describe('a redactor', () => {
  it('masks what is at a path, also lists and objects', () => {
    expect(redactor(['$.patient']).root(STATE)).toEqual({
      ...STATE,
      patient: '[REDACTED]',
      orders: [{ card: '[REDACTED]', n: 1 }],
    });
    expect(redactor(['$..age', '$.orders[*].n']).root(STATE)).toMatchObject({
      patient: { age: '[REDACTED]' },
      orders: [{ n: '[REDACTED]' }],
    });
  });

  it('hashes: equal values have equal hashes', () => {
    const hashed = redactor(['$.a', '$.b'], [], 'hash').root({ a: 'abc', b: 'abc' });
    expect(hashed).toEqual({ a: '[HASH:ba7816bf8f01cfea]', b: '[HASH:ba7816bf8f01cfea]' });
  });

  it('removes keys, items and parts of texts', () => {
    const value = { a: 1, list: [{ a: 1 }, 'x'], text: 'to ann@example.com!' };
    expect(redactor(['$.a', '$.list[0]'], [], 'remove').root(value)).toEqual({ list: ['x'], text: 'to !' });
  });

  it('finds the values at its paths in other values, inside texts, as keys, and as JSON and URLs have them', () => {
    const one = redactor(['$.patient.name', '$.patient.ssn'], [STATE]);
    expect(one.json({ 'Ann Smith': ['Dear Ann Smith, hello', 'q=Ann%20Smith', '{"to":"Ann Smith"}'] })).toEqual({
      '[REDACTED]': ['Dear [REDACTED], hello', 'q=[REDACTED]', '{"to":"[REDACTED]"}'],
    });
    expect(one.json('Ann')).toBe('Ann');
  });

  it('keeps keys apart that look alike afterwards', () => {
    expect(redactor([]).json({ 'a@x.com': 1, 'b@x.com': 2 })).toEqual({ '[REDACTED]': 1, '[REDACTED] 2': 2 });
  });

  it('returns a value without personal data as it is', () => {
    expect(redactor(['$.x']).root(STATE.patient)).not.toBe(STATE.patient);
    const plain = { a: [1, { b: 'text' }], c: null };
    expect(redactor(['$.x'], [STATE]).root(plain)).toBe(plain);
  });

  it('follows paths of any depth in nested values, also where each level can be each step of a path', () => {
    const path = `$${'..a'.repeat(31)}`;
    const nested = (depth: number): Json => Array.from({ length: depth }).reduce<Json>((inner) => ({ a: inner }), 'secret');
    expect(JSON.stringify(redactor([path], [nested(60)]).root(nested(60)))).not.toContain('secret');
    expect(redactor([path]).root(nested(30))).toEqual(nested(30));
    expect(redactor([`${path}..b`]).root(nested(60))).toEqual(nested(60));
    expect(redactor(['$..*..*..*']).root({ a: { b: { c: 1, d: [2] } }, e: { f: 3 } })).toEqual({
      a: { b: { c: '[REDACTED]', d: '[REDACTED]' } },
      e: { f: 3 },
    });
  });

  it('leaves ids and counts of events alone, and applies paths to every other field, to outputs where the state has them', () => {
    const data = {
      child_execution_id: 'exec_5552345678',
      output: { name: 'Bo' },
      output_key: 'patient',
      duration_ms: 5,
      error: 'no bo@x.org',
    };
    expect(redactedData(redactor(['$.patient.name']), data)).toEqual({
      ...data,
      output: { name: '[REDACTED]' },
      error: 'no [REDACTED]',
    });
    expect(redactedData(redactor([]), { input_hash: 'a1', mode: 'sync' })).toEqual({ input_hash: '[REDACTED]', mode: 'sync' });
    expect(redactedData(redactor([]), { output: { any: 1 }, duration_ms: 5 }, false)).toEqual({
      output: '[REDACTED]',
      duration_ms: 5,
    });
  });
});

const SECRETS = ['ann@example.com', '4111 1111 1111 1111', '078-05-1120', '+49 30 1234567', '192.168.0.1', 'Ann Smith Jones'];

describe('a text that comes in parts', () => {
  it('is redacted as the whole text would be, wherever it is cut', () => {
    const words = fc.constantFrom(...SECRETS, 'hello', 'Ann', 'Ann Smith', '12', '3.', 'x@', '-', '+', '(', '\n', 'a'.repeat(50));
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), fc.array(fc.nat(40), { maxLength: 30 }), (parts, cuts) => {
        const one = redactor(['$.name'], [{ name: 'Ann Smith Jones' }]);
        const text = `${parts.join(' ')} \n the end; `;
        const stream = new StreamRedactor(one);
        let shown = '';
        let at = 0;
        for (const cut of [...cuts, text.length]) {
          shown += stream.push(text.slice(at, at + cut));
          at += cut;
        }
        for (const secret of SECRETS) expect(shown).not.toContain(secret);
        expect(one.text(text).startsWith(shown)).toBe(true);
        expect(shown.length).toBeGreaterThanOrEqual(one.text(text).length - 1);
      }),
    );
  });

  it('is not shown any further once too much of it would be held back', () => {
    const stream = new StreamRedactor(redactor(['$.name'], [{ name: 'a'.repeat(200_000) }]));
    expect(stream.push('Dear ')).toBe('Dear ');
    expect(stream.push('a'.repeat(100_000))).toBe('');
    expect(stream.push(' and more ')).toBe('');
  });

  it('is shown word by word: only its last word is held back', () => {
    const stream = new StreamRedactor(redactor([]));
    expect([stream.push('Hello wo'), stream.push('rld, call 555'), stream.push('-234-5678 now')]).toEqual([
      'Hello ',
      'world, call ',
      '[REDACTED] ',
    ]);
  });
});
