import { DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';
import { asStoreError, isConnectionError } from '../../../store/postgres/errors.ts';

function failure(code: string): DatabaseError {
  return Object.assign(new DatabaseError('terminating connection', 0, 'error'), { code });
}

describe('a connection that the database ends or refuses', () => {
  it.each([
    ['25P03', 'a transaction that was idle'],
    ['25P04', 'a transaction that took long'],
    ['53300', 'one too many'],
    ['57P01', 'a server that stops'],
    ['57P04', 'a database that was dropped'],
    ['57P05', 'a session that was idle'],
  ])('with %s, for %s, is none', (code) => {
    expect(isConnectionError(failure(code))).toBe(true);
    expect(asStoreError(failure(code))).toMatchObject({ name: 'StoreError', code: 'store_unavailable' });
  });
});

describe('an invalid statement', () => {
  it.each(['22P02', '23503', '42601'])('is not an error of the database (%s)', (code) => {
    const error = failure(code);
    expect(isConnectionError(error)).toBe(false);
    expect(asStoreError(error)).toBe(error);
  });
});
