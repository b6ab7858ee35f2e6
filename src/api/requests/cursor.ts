import { RuntimeError } from '../../runtime/errors.ts';

/** Says which kind of cursor this is, so that another kind can come later. */
const KIND = 1;
const BYTES = 17;
const ID = /^[a-z]+_([0-9a-f]{32})$/;

/** Where a list goes on, for clients to hand back as it is: the id it has come to. Letters, digits, `-` and `_`. */
export function cursorOf(id: string): string {
  const hex = ID.exec(id)?.[1];
  if (hex === undefined) throw new Error(`${id} is no id a list could have come to`);
  return Buffer.from([KIND, ...Buffer.from(hex, 'hex')]).toString('base64url');
}

/** The id, whose kind the list knows. Throws `bad_request` for anything that `cursorOf` has not made. */
export function fromCursor(kind: 'exec' | 'job', cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length !== BYTES || bytes[0] !== KIND || bytes.toString('base64url') !== cursor)
    throw new RuntimeError('bad_request', 'cursor must be the next_cursor of an earlier page');
  return `${kind}_${bytes.toString('hex', 1)}`;
}
