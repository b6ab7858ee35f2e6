import { hash } from 'node:crypto';

/** An index entry may take some 2,700 bytes, and holds two texts beside the tenant and an id. */
const MAX_BYTES = 1_200;
const PREFIX_CHARS = 256;

/** A text as it is stored and looked up in an index: one that is too long for it is represented by its beginning and its hash. */
export function indexKey(text: string): string {
  if (text.length * 3 <= MAX_BYTES || Buffer.byteLength(text) <= MAX_BYTES) return text;
  return `${text.slice(0, PREFIX_CHARS)}…${hash('sha256', text, 'hex')}`;
}
