import { RuntimeError } from '../../runtime/errors.ts';
import type { ApprovalPosition } from '../../runtime/types/executions.ts';

/** Version of the cursor's form. */
const VERSION = 1;
const BYTES = 17;
const ID = /^[a-z]+_([0-9a-f]{32})$/;

/** An opaque cursor for clients: the last id of a page, in letters, digits, `-` and `_`. */
export function cursorOf(id: string): string {
  const hex = ID.exec(id)?.[1];
  if (hex === undefined) throw new Error(`${id} is not an id of a list`);
  return Buffer.from([VERSION, ...Buffer.from(hex, 'hex')]).toString('base64url');
}

const PLACE = /^(\d{1,15}) (exec_[0-9a-f]{32}) (\d{1,10})$/;

/** A cursor of the list of approvals. */
export function approvalCursorOf({ atMs, executionId, seq }: ApprovalPosition): string {
  return Buffer.from(`${atMs} ${executionId} ${seq}`).toString('base64url');
}

/** Throws `bad_request` for anything that `approvalCursorOf` has not returned. */
export function fromApprovalCursor(cursor: string): ApprovalPosition {
  const [, atMs, executionId, seq] = PLACE.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (executionId === undefined) throw new RuntimeError('bad_request', 'cursor must be the next_cursor of an earlier page');
  return { atMs: Number(atMs), executionId, seq: Number(seq) };
}

/** The last worker of a page. */
export interface WorkerPosition {
  readonly kind: 'external' | 'runtime';
  readonly id: string;
}

/** A cursor of the list of workers. */
export function workerCursorOf({ kind, id }: WorkerPosition): string {
  return Buffer.from(`${kind} ${id}`).toString('base64url');
}

/** Throws `bad_request` for anything that `workerCursorOf` has not returned. */
export function fromWorkerCursor(cursor: string): WorkerPosition {
  const [, kind, id] = /^(external|runtime) ([\s\S]+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (id === undefined || workerCursorOf({ kind: kind as WorkerPosition['kind'], id }) !== cursor)
    throw new RuntimeError('bad_request', 'cursor must be the next_cursor of an earlier page');
  return { kind: kind as WorkerPosition['kind'], id };
}

/** The id of a cursor. Throws `bad_request` for anything that `cursorOf` has not returned. */
export function fromCursor(kind: 'exec' | 'job', cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length !== BYTES || bytes[0] !== VERSION || bytes.toString('base64url') !== cursor)
    throw new RuntimeError('bad_request', 'cursor must be the next_cursor of an earlier page');
  return `${kind}_${bytes.toString('hex', 1)}`;
}
