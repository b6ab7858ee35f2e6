import { describe, expect, it } from 'vitest';
import { prefersStrict } from '../../../src/api/requests/preference.ts';

describe('Prefer', () => {
  it.each([
    'handling=strict',
    'Handling=Strict',
    'handling="strict"',
    'respond-async, handling=strict',
    'wait=10; note="a, handling=lenient", handling = strict',
    'handling=strict; x=1, handling=lenient',
  ])('asks for strict handling: %s', (prefer) => {
    expect(prefersStrict({ prefer })).toBe(true);
  });

  it.each([
    '',
    'handling=lenient',
    'handling',
    'strict',
    'x=handling=strict',
    'handling=lenient, handling=strict',
    'handling=,',
    '"',
    ';;,,==',
  ])('asks for nothing of the kind: %s', (prefer) => {
    expect(prefersStrict({ prefer })).toBe(false);
  });
});
