import { DatabaseError } from 'pg';
import { StoreError } from '../port/errors.ts';

/** Raised by `jamjet_expect`; the message names the failed expectation. */
export const EXPECTATION_FAILED = 'JJ001';
/** Missing privilege, function or table: the schema is not this release's, for example in a database that was created anew. */
const MISSING_OR_FORBIDDEN = new Set(['42501', '42883', '42P01']);
const UNIQUE_VIOLATION = '23505';
const SERIALISATION = new Set(['40001', '40P01']);

/** Converts errors of the database and of the connection. Other errors (a violated invariant of the caller) pass unchanged. */
export function asStoreError(error: unknown): unknown {
  if (error instanceof StoreError) return error;
  const cause = { cause: error };
  if (error instanceof DatabaseError) {
    const { code = '' } = error;
    if (code === '53100' || code === '53400') return new StoreError('store_full', 'the disk of the database is full', cause);
    if (code === '25006') return new StoreError('store_read_only', 'the database is read-only', cause);
    if (MISSING_OR_FORBIDDEN.has(code) || /^(28|3D)/.test(code))
      return new StoreError('store_unavailable', `the database refuses: ${error.message}`, cause);
    if (/^(08|25P0[34]|53|55|57|58|40|XX)/.test(code))
      return new StoreError('store_unavailable', `the database cannot answer: ${error.message}`, cause);
    return error;
  }
  return isConnectionError(error)
    ? new StoreError('store_unavailable', `the database cannot be reached: ${textOf(error)}`, cause)
    : error;
}

/** The server is starting or stopping. */
export function isStarting(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '57P03';
}

/** The connection broke or could not be made, so it is unknown whether what was sent took effect. */
export function isConnectionError(error: unknown): boolean {
  if (error instanceof DatabaseError) return /^(08|25P0[34]|53300|57P0[1-5])/.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(E[A-Z]+|ERR_(TLS|SSL)_\w+|\w*_(CERT|SIGNATURE|ISSUER)\w*|CERT_\w+)$/.test(code) ||
    /(Connection terminated|not queryable|timeout|Client was closed|server closed|SSL|authentication)/i.test(error.message)
  );
}

/** Which expectation of the statement failed; null for other errors. */
export function rejectionOf(error: unknown): string | null {
  if (!(error instanceof DatabaseError)) return null;
  if (error.code === EXPECTATION_FAILED) return error.message;
  return error.code === UNIQUE_VIOLATION ? 'sequence' : null;
}

/** Two writers conflicted; a retry may succeed. */
export function isContention(error: unknown): boolean {
  return error instanceof DatabaseError && SERIALISATION.has(error.code ?? '');
}

/** For an idle connection. Leaves out the driver's error, which holds the whole connection object and must not be logged. */
export function brokenConnection(error: Error): StoreError {
  return new StoreError('store_unavailable', `a connection to the database broke: ${textOf(error)}`);
}

export function storeClosed(): StoreError {
  return new StoreError('store_unavailable', 'the store is closed');
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error);
}
