import { RuntimeError } from '../runtime/errors.ts';

/** Says which kind of cursor this is, so that another kind can come later. */
const KIND = 1;
const BYTES = 17;
const EXECUTION = /^exec_([0-9a-f]{32})$/;

/** Where a list goes on, for clients to hand back as it is: the execution it has come to. Letters, digits, `-` and `_`. */
export function cursorOf(execution: string): string {
  const hex = EXECUTION.exec(execution)?.[1];
  if (hex === undefined) throw new Error(`${execution} is no execution id`);
  return Buffer.from([KIND, ...Buffer.from(hex, 'hex')]).toString('base64url');
}

/** Throws `bad_request` for anything that `cursorOf` has not made. */
export function fromCursor(cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length !== BYTES || bytes[0] !== KIND || bytes.toString('base64url') !== cursor)
    throw new RuntimeError('bad_request', 'cursor must be the next_cursor of an earlier page');
  return `exec_${bytes.toString('hex', 1)}`;
}
