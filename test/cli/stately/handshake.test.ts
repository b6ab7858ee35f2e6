import { expect, it } from 'vitest';
import { rejectionReason } from '../../../src/cli/stately/handshake.ts';

it.each([
  ['a program, which has no origin', undefined],
  ['the page it offers itself', 'http://127.0.0.1:4000'],
  ['pages of this machine', 'http://localhost:8080'],
  ['… also of another kind', 'https://[::1]:3000'],
  ['Stately', 'https://stately.ai'],
  ['a part of Stately', 'https://editor.stately.ai'],
])('accepts %s', (_, origin) => {
  for (const host of ['127.0.0.1:4000', 'localhost:4000', '[::1]:4000', 'localhost'])
    expect(rejectionReason({ host, origin })).toBe(null);
});

it.each([
  'https://evil.example',
  'http://stately.ai',
  'https://stately.ai.evil.example',
  'https://evilstately.ai',
  'https://stately.ai@evil.example',
  'http://127.0.0.1.evil.example',
  'http://localhost.evil.example',
  'http://10.0.0.7',
  'file://',
  'chrome-extension://abcdef',
  'null',
  '',
  'x'.repeat(5_000),
])('rejects pages of %s', (origin) => {
  expect(rejectionReason({ host: '127.0.0.1:4000', origin })).toMatch(/^pages of .* are not allowed to read executions$/s);
});

it.each([
  'evil.example',
  'evil.example:4000',
  '127.0.0.1.evil.example',
  'localhost.evil.example:4000',
  '10.0.0.7',
  'a b',
  '',
  undefined,
])('rejects the host name %s', (host) => {
  expect(rejectionReason({ ...(host === undefined ? {} : { host }) })).toBe('the Host header must be a loopback address');
});
