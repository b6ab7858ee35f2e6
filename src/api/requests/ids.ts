import { RuntimeError, truncated } from '../../runtime/errors.ts';

const EXECUTION = /^(?:exec_)?([0-9a-f]{32})$/i;
const UUID = /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i;

/**
 * `exec_` + 32 hex, from that, 32 bare hex digits or a dashed UUID. Anything else names no execution: throws `RuntimeError`
 * `not_found` with the id as it was given.
 */
export function executionId(given: string): string {
  const hex = EXECUTION.exec(given)?.[1] ?? UUID.exec(given)?.slice(1).join('');
  if (hex === undefined) throw new RuntimeError('not_found', `execution ${truncated(given)}`);
  return `exec_${hex.toLowerCase()}`;
}

/** A work item's id is a UUID; anything else names none. */
export function workItemId(given: string): string {
  if (!UUID.test(given)) throw new RuntimeError('not_found', `work item ${truncated(given)}`);
  return given.toLowerCase();
}
