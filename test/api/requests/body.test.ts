import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runToEnd } from '../../../machines/cooperative.ts';
import type { Json } from '../../../machines/json.ts';
import { charsUpTo } from '../../../machines/json-size.ts';
import { parseBody } from '../../../src/api/requests/body.ts';
import { LARGE_VALUES } from './large-values.ts';

const parse = (text: string) => runToEnd(parseBody(Buffer.from(text)));

describe('a request body', () => {
  it('is parsed as JSON', () => {
    expect(parse(' {"a": [1, null, "é\\u0000"]} ')).toEqual({ a: [1, null, 'é\u0000'] });
  });

  it('may be empty', () => {
    expect([parse(''), parse(' \n')]).toEqual([undefined, undefined]);
  });

  it.each(['{', '{"a":}', 'nope', '{"a":1}x', "{'a':1}", '\u0000'])('refuses malformed JSON: %j', (text) => {
    expect(() => parse(text)).toThrow(/^the body is not valid JSON: /);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => runToEnd(parseBody(Buffer.from([0x22, 0xff, 0x22])))).toThrow('not valid UTF-8');
  });

  it('refuses 257 levels and accepts 256', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(() => parse(nested(256))).not.toThrow();
    expect(() => parse(nested(257))).toThrow('nested more than 256 levels deep');
  });

  it('refuses a hundred thousand levels without overflowing', () => {
    expect(() => parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)).toThrow('nested more than 256 levels deep');
  });

  it.each([
    '{"__proto__": {"admin": true}}',
    '{"a": [{"\\u005f_proto__": 1}]}',
    '{"__p\\u0072oto__": 1}',
    '{"\\u{5f}": 0, "__\\u0070roto__": 1}'.replace('\\u{5f}', 'x'),
    '{"constructor": {"prototype": {}}}',
    '{"const\\u0072uctor": {"prot\\u006ftype": {}}}',
  ])('refuses a forbidden key: %s', (text) => {
    expect(() => parse(text)).toThrow(/^the key ".+" is not allowed$/);
  });

  it('accepts a key that only resembles a forbidden one', () => {
    expect(parse('{"constructor": "Ford", "prototype": 1, "proto": "__proto__"}')).toEqual({
      constructor: 'Ford',
      prototype: 1,
      proto: '__proto__',
    });
  });

  it.each([
    ['{"input": {"a": ["\\ud800"]}}', 'input.a[0]'],
    ['{"nodes": {"\\uDEAD": {}}}', 'nodes'],
    ['"\\udc00\\ud800"', 'the body'],
  ])('refuses unpaired surrogates, and names their path: %s', (text, place) => {
    expect(() => parse(text)).toThrow(`${place} has text that is not valid Unicode`);
  });

  it('accepts surrogate pairs, and texts that contain an escape', () => {
    expect(parse('["\\ud83d\\ude00", "\\\\ud800"]')).toEqual(['😀', '\\ud800']);
  });

  it('refuses a number beyond the range of a double instead of making it null', () => {
    expect(() => parse('{"n": 1e999}')).toThrow('beyond the range');
    expect(() => parse(`[-${'9'.repeat(400)}]`)).toThrow('beyond the range');
    expect(parse('[1e308, 5e-400]')).toEqual([1e308, 0]);
  });
});

describe('a large request body', () => {
  /** More than one piece, whatever is in it. */
  const long = 'x'.repeat(40_000);
  const filler = Array.from({ length: 9_000 }, (_, n) => `"${n.toString(36)}é"`).join(', ');
  const samples: unknown[] = [
    [long, [long, [], {}, [long, { a: long, b: [long], '2': 1, '1': long }]], long, [[[long, long], long], long], 1],
    { a: { b: { c: [long, { d: long, e: {} }], f: long }, 'g"\\h': [long, long] }, '': [long, 1, [long, null]], i: long },
    Array.from({ length: 20_000 }, (_, n) => ({ n, name: `${n}`, list: [n / 3, true, null, []] })),
    Object.fromEntries(Array.from({ length: 9_000 }, (_, n) => [`k${n}`, { n, text: 'é\n'.repeat(n % 30) }])),
    { outer: [JSON.parse(`${'['.repeat(200)}"${long}", 1${', 2]'.repeat(200)}`), long, 3] },
    long + long,
  ];

  it.each(samples.map((value) => [value]))('is parsed in pieces to the same value, and its size is known', (value) => {
    for (const space of [undefined, 1]) {
      const text = JSON.stringify(value, null, space);
      const [parsed, expected] = [parse(` ${text}\n`) as Json, JSON.parse(text) as Json];
      expect(JSON.stringify(parsed)).toBe(JSON.stringify(expected));
      expect(charsUpTo(parsed, Number.POSITIVE_INFINITY)).toBe(charsUpTo(expected, Number.POSITIVE_INFINITY));
    }
  });

  it('has the last value of a key, and its size', () => {
    const text = `{"a": [1, ${filler}], "b": [${filler}], "a": [2, ${filler}]}`;
    expect(parse(text)).toEqual(JSON.parse(text));
    expect(charsUpTo(parse(text) as Json, Number.POSITIVE_INFINITY)).toBe(charsUpTo(JSON.parse(text), Number.POSITIVE_INFINITY));
  });

  it.each([
    ...['[F,]', '[F,,1]', '[,F]', '[F 1]', '[F, [,F]]', '[F, {,F}]', '[[F], F, ]', '[[F] 1, F]', '[[F],, F]', '{"a": [F],}'],
    ...[
      '{"a": [F] "b": 1}',
      '{"a": [F], "b"}',
      '{[F]: 1}',
      '{"a": 1 [F]}',
      '{"a" [F]}',
      '{"a": -[F]}',
      '[F}',
      '{"a": [F}]',
      '[F',
    ],
    ...[
      'F]',
      'F',
      '[F]]',
      '[F], 1',
      '[F] 1',
      '[F, "]',
      '[F, \u00a0]',
      '[[F]\u00a0, F]',
      '[F, \ufeff1]',
      '[F, 01]',
      '{"a": F}',
      '[F}, {F]',
    ],
  ])('is refused if it is no JSON: %s', (template) => {
    const text = template.replaceAll('F', filler);
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    expect(() => parse(text)).toThrow(/^the body is not valid JSON: /);
  });

  it('is JSON or not as the parser says, wherever it is cut short or changed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples.slice(0, 2)), fc.nat(), fc.constantFrom(...'[]{},:"1 '), (value, at, character) => {
        const text = JSON.stringify(value).replaceAll(long, 'F');
        const place = at % text.length;
        const changed = `${text.slice(0, place)}${character}${text.slice(place + 1)}`.replaceAll('F', long);
        const outcome = (read: (text: string) => unknown): unknown => {
          try {
            return JSON.stringify(read(changed));
          } catch {
            return 'refused';
          }
        };
        expect(outcome(parse)).toBe(outcome(JSON.parse));
      }),
    );
  });

  it.each([
    [`{"constructor": {"a": [${filler}], "b": [${filler}], "prototype": 1}}`, 'the key "constructor.prototype" is not allowed'],
    [`[${filler}, {"a": [${filler}], "__proto__": 1}]`, 'the key "__proto__" is not allowed'],
    [`{"a": {"b": [${filler}, "\\ud800"]}}`, 'a.b[9000] has text that is not valid Unicode'],
    [`[${filler}, 1e999]`, 'beyond the range of a double'],
    [`{"a": {${Array.from({ length: 10_001 }, (_, n) => `"k${n}": 1`).join(',')}}}`, 'has more than 10000 keys'],
    [`[${'[],'.repeat(99_999)}[]]`, 'the body has more than 100000 objects and lists'],
  ])('is refused for what a small one is refused for, or for many parts', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});

describe('a body of two mebibytes', () => {
  /** Of each piece, the least of them counts: garbage collection falls on any. */
  const ATTEMPTS = 4;
  const MOST_MS = 50;

  /** What each piece takes at most: other processes add to the one measure, other threads to the other. */
  function piecesOf(bytes: Uint8Array): number[] {
    const pieces: number[] = [];
    const computation = parseBody(bytes);
    for (let done = false; !done; ) {
      const [before, since] = [process.cpuUsage(), performance.now()];
      done = computation.next().done === true;
      const { user, system } = process.cpuUsage(before);
      pieces.push(Math.min(performance.now() - since, (user + system) / 1_000));
    }
    return pieces;
  }

  it.each(Object.entries(LARGE_VALUES))('is parsed in pieces, each of which is over soon: %s', (_, textOf) => {
    const bytes = Buffer.from(textOf());
    let least: number[] = [];
    for (let n = 0; n < ATTEMPTS && (n === 0 || Math.max(...least) > MOST_MS); n += 1)
      least = piecesOf(bytes).map((ms, i) => Math.min(ms, least[i] ?? ms));
    expect(Math.max(...least)).toBeLessThanOrEqual(MOST_MS);
  });
});

describe('a hostile body of two mebibytes', () => {
  it.each([
    ['levels of lists', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`],
    ['levels of objects', `${'{"a":'.repeat(340_000)}1${'}'.repeat(340_000)}`],
    ['brackets in a string', JSON.stringify('['.repeat(2_000_000))],
    ['escapes', `"${'\\u0041'.repeat(340_000)}"`],
    ['digits', '1'.repeat(2_000_000)],
    ['almost too many digits', `[${`${'9'.repeat(308)},`.repeat(6_400)}1]`],
    ['almost exponents', `"${'9e'.repeat(1_000_000)}"`],
    ['small values', `[${'{},'.repeat(690_000)}{}]`],
  ])('is handled within a moment: %s', (_what, text) => {
    const before = process.cpuUsage();
    try {
      parse(text);
    } catch (error) {
      expect(String(error)).toMatch(/^RuntimeError: the body /);
    }
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(900);
  });
});
