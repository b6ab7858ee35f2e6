import { describe, expect, it } from 'vitest';
import { parseBody } from '../../../src/api/requests/body.ts';

const parse = (text: string) => parseBody(Buffer.from(text));

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
    expect(() => parseBody(Buffer.from([0x22, 0xff, 0x22]))).toThrow('not valid UTF-8');
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
