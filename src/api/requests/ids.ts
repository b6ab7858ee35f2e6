import { RuntimeError, truncated } from '../../runtime/errors.ts';

const EXECUTION = /^(?:exec_)?([0-9a-f]{32})$/i;
const UUID = /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i;

/** An execution id from `exec_` and 32 hex digits, 32 hex digits, or a UUID. Throws `RuntimeError` `not_found` for anything else. */
export function executionId(given: string): string {
  const id = findExecutionId(given);
  if (id === null) throw new RuntimeError('not_found', `execution ${truncated(given)} not found`);
  return id;
}

/** The same, and null for anything else. */
export function findExecutionId(given: string): string | null {
  const hex = EXECUTION.exec(given)?.[1] ?? UUID.exec(given)?.slice(1).join('');
  return hex === undefined ? null : `exec_${hex.toLowerCase()}`;
}

/**
 * Part of an execution id, with `exec_` or dashes or without: at least four hex digits, in lower case. Throws `RuntimeError` `bad_request` for
 * anything else.
 */
export function idPart(given: string): string {
  const digits = given
    .replace(/^exec_/i, '')
    .replaceAll('-', '')
    .toLowerCase();
  if (!/^[0-9a-f]{4,32}$/.test(digits))
    throw new RuntimeError('bad_request', `id must be 4 to 32 hex digits of an execution id, not "${truncated(given)}"`);
  return digits;
}

/** A work item id from a UUID. Throws `RuntimeError` `not_found` for anything else. */
export function workItemId(given: string): string {
  if (!UUID.test(given)) throw new RuntimeError('not_found', `work item ${truncated(given)} not found`);
  return given.toLowerCase();
}
