import { describe, expect, it } from 'vitest';
import { type DetectorName, detectsNumber, findersOf } from '../../../machines/redaction/detectors.ts';
import { spansIn } from '../../../machines/redaction/spans.ts';

const found = (detector: DetectorName, text: string): string[] =>
  spansIn(text, findersOf([detector])).map(({ start, end }) => text.slice(start, end));

describe('the detector email', () => {
  it.each([
    ['write to ann@example.com.', 'ann@example.com'],
    ['<a.b+tag@mail.example.co.uk>', 'a.b+tag@mail.example.co.uk'],
    ['"email":"o\'hara@x-y.org","n":1', "o'hara@x-y.org"],
    ['jürgen@müller.de', 'jürgen@müller.de'],
    ['/users?mail=ann%40example.com&x=1', 'ann%40example.com'],
  ])('finds the address in %s', (text, address) => expect(found('email', text)).toEqual([address]));

  it.each(['@here', 'a@b', 'user@localhost', 'a @ b.com', 'v1.2@3.4'])('finds none in %s', (text) =>
    expect(found('email', text)).toEqual([]),
  );
});

describe('the detector credit_card', () => {
  it.each([
    ['pay with 4111 1111 1111 1111 now', '4111 1111 1111 1111'],
    ['4111-1111-1111-1111', '4111-1111-1111-1111'],
    ['card=5555555555554444;', '5555555555554444'],
    ['378282246310005', '378282246310005'],
    ['order 12 4111 1111 1111 1111', '4111 1111 1111 1111'],
  ])('finds the number in %s', (text, number) => expect(found('credit_card', text)).toContain(number));

  it.each([
    ['a wrong check digit', '4111 1111 1111 1112'],
    ['a time in milliseconds', '1764259200009'],
    ['too few digits', '411111111111'],
    ['a longer number', '41111111111111114111111111111111'],
  ])('takes %s for no card', (_what, text) => expect(found('credit_card', text)).toEqual([]));

  it('knows the number of a card as a JSON number', () => {
    expect(detectsNumber(4111111111111111, ['credit_card'])).toBe(true);
    expect(detectsNumber(1764259200000, ['credit_card'])).toBe(false);
    expect(detectsNumber(4111111111111111, ['email'])).toBe(false);
  });
});

describe('the detector ssn', () => {
  it.each(['123-45-6789', '123 45 6789'])('finds %s', (text) => expect(found('ssn', `is ${text}.`)).toEqual([text]));
  it.each([
    '000-12-3456',
    '666-12-3456',
    '912-12-3456',
    '123-00-4567',
    '123-45-0000',
    '1123-45-6789',
    '123-45 6789',
    '123456789',
  ])('does not find %s', (text) => expect(found('ssn', text)).toEqual([]));
});

describe('the detector phone', () => {
  it.each([
    '+49 30 1234567',
    '+1 (555) 234-5678',
    '(555) 234-5678',
    '555-234-5678',
    '5552345678',
    '0049 30 123456',
    '030 / 1234567',
  ])('finds %s', (text) => expect(found('phone', `call ${text} today`).join('')).toContain(text.replace(/^\(/, '')));
  it.each(['exec_01a21e20c5552345678a', '1764259200', '2026-11-27', '12:30:45', '3.14159265', '42', '1000000'])(
    'does not find %s',
    (text) => expect(found('phone', text)).toEqual([]),
  );
});

describe('the detector ip_address', () => {
  it.each(['192.168.0.1', '8.8.8.8', '2001:db8::ff00:42:8329', 'fe80:0:0:0:204:61ff:fe9d:f156', '::ffff:192.0.2.1'])(
    'finds %s',
    (text) => expect(found('ip_address', `from ${text} at noon`)).toContain(text),
  );
  it.each(['1.2.3', '256.1.1.1', '1.2.3.4.5', '12:30:45', 'a::b::c', 'std::vector'])('does not find %s', (text) =>
    expect(found('ip_address', text)).toEqual([]),
  );
});

describe('detectors', () => {
  it.each([
    ['at signs', '@'.repeat(200_000)],
    ['encoded at signs', '%40'.repeat(100_000)],
    ['one long word', 'a'.repeat(200_000)],
    ['digits', '4'.repeat(200_000)],
    ['groups of digits', '4111 '.repeat(50_000)],
    ['dots', '1.'.repeat(100_000)],
    ['colons', 'a:'.repeat(100_000)],
    ['single digits', '1 '.repeat(300_000)],
    ['digits with signs', '(5'.repeat(300_000)],
    ['digits with plus signs', '+1'.repeat(300_000)],
    ['parentheses', '((((1'.repeat(50_000)],
  ])('look at each place of a text a bounded number of times: %s', (_what, text) => {
    const half = text.slice(0, text.length / 2);
    const all: readonly DetectorName[] = ['email', 'ssn', 'credit_card', 'phone', 'ip_address'];
    const stepsOf = (given: string): number => spansIn(given, findersOf(all)).length;
    // Quadratic time would exceed the test's time limit by far.
    expect(stepsOf(text)).toBeGreaterThanOrEqual(stepsOf(half));
  });
});
