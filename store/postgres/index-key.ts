import { hash } from 'node:crypto';

/** An index takes rows of some 2,700 bytes, and two texts stand in one beside the tenant and an id. */
const MAX_BYTES = 1_200;
const PREFIX_CHARS = 256;

/** Text that rows are found by, as it is written and asked for: one that no index takes is known by its beginning and its hash. */
export function indexKey(text: string): string {
  if (text.length * 3 <= MAX_BYTES || Buffer.byteLength(text) <= MAX_BYTES) return text;
  return `${text.slice(0, PREFIX_CHARS)}…${hash('sha256', text, 'hex')}`;
}
