import { describe, expect, it } from 'vitest';
import { errorPattern } from '../../../src/runtime/queries/error-groups.ts';

describe('the pattern of an error', () => {
  it.each([
    ['charge: timeout after 3012 ms', 'charge: timeout after # ms'],
    ['charge: took 3012ms of 1.5s', 'charge: took #ms of #s'],
    ['step-1: no order "ord 77" at 10:22:31', 'step-1: no order "…" at #'],
    ['pay: ord_8Fk2 and cus_Nf81x are unknown', 'pay: ord_# and cus_# are unknown'],
    ['pay: exec_0199b3c00000700081f2a3b4c5d6e7f8 not found', 'pay: exec_# not found'],
    ['pay: 0199b3c0-0000-7000-81f2-a3b4c5d6e7f8 not found', 'pay: # not found'],
    ['pay: commit deadbeef99 is gone', 'pay: commit # is gone'],
    ["pay: can't read 'a file' twice", "pay: can't read '…' twice"],
    ['get: https://api.test answered 503: try later', 'get: https://api.test answered 503: try later'],
    ['get: HTTP 404 after 250 ms', 'get: HTTP 404 after # ms'],
    ['get: E1234 from http2', 'get: E1234 from http2'],
    ['get: a\n  b', 'get: a b'],
    ['workflow timeout', 'workflow timeout'],
  ])('%j is %j', (error, pattern) => {
    expect(errorPattern(error)).toBe(pattern);
    expect(errorPattern(pattern)).toBe(pattern);
  });

  it('takes linear time on long errors', () => {
    expect(errorPattern(`a: ${'ab_'.repeat(100_000)}`).length).toBeLessThan(500);
  });
});
