import type { AuditFilter, AuditPosition } from '../../../store/port/resources/audit.ts';
import { RuntimeError } from '../../runtime/errors.ts';

/** The cursor of a page of the audit log: its last entry, which the client has seen. */
export function auditCursorOf({ atMs, executionId, seq }: AuditPosition): string {
  return Buffer.from(JSON.stringify([atMs, executionId, seq])).toString('base64url');
}

/** Throws `RuntimeError` `bad_request` for an invalid cursor, or one of another execution's log. */
export function fromAuditCursor(text: string, filter: AuditFilter): AuditPosition {
  const [atMs, executionId, seq, ...more] = parts(text);
  const positionValid = Number.isSafeInteger(atMs) && Number.isSafeInteger(seq) && more.length === 0;
  const idValid = executionId === null || typeof executionId === 'string';
  if (!positionValid || !idValid || (filter.executionId !== undefined && filter.executionId !== executionId))
    throw new RuntimeError('bad_request', 'cursor is not the next_cursor of an earlier page of this query');
  return { atMs: atMs as number, executionId, seq: seq as number };
}

function parts(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
