import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Json } from '../json.ts';

export const REDACTION_MODES = ['mask', 'hash', 'remove'] as const;
export type RedactionMode = (typeof REDACTION_MODES)[number];

export const MASK = '[REDACTED]';

/** What stands for a value, or for a part of a text; '' = nothing. */
export function replacementOf(value: Json, mode: RedactionMode): string {
  if (mode === 'remove') return '';
  if (mode === 'mask') return MASK;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `[HASH:${bytesToHex(sha256(utf8ToBytes(text)).subarray(0, 8))}]`;
}
