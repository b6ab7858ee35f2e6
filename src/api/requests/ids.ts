import { RuntimeError, truncated } from '../../runtime/errors.ts';

const EXECUTION = /^(?:exec_)?([0-9a-f]{32})$/i;
const UUID = /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i;

/** An execution id from `exec_` and 32 hex digits, 32 hex digits, or a UUID. Throws `RuntimeError` `not_found` for anything else. */
export function executionId(given: string): string {
  const hex = EXECUTION.exec(given)?.[1] ?? UUID.exec(given)?.slice(1).join('');
  if (hex === undefined) throw new RuntimeError('not_found', `execution ${truncated(given)} not found`);
  return `exec_${hex.toLowerCase()}`;
}

/** A work item id from a UUID. Throws `RuntimeError` `not_found` for anything else. */
export function workItemId(given: string): string {
  if (!UUID.test(given)) throw new RuntimeError('not_found', `work item ${truncated(given)} not found`);
  return given.toLowerCase();
}
