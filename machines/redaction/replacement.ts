import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { type Cooperative, runToEnd } from '../cooperative.ts';
import type { Json } from '../json.ts';

export const REDACTION_MODES = ['mask', 'hash', 'remove'] as const;
export type RedactionMode = (typeof REDACTION_MODES)[number];

export const MASK = '[REDACTED]';
/** Bytes that are hashed before other work may go on. */
const HASHED_AT_ONCE = 8_192;

/** What stands for a value, or for a part of a text; '' = nothing. */
export function replacementOf(value: Json, mode: RedactionMode): string {
  return runToEnd(replacementInWindows(value, mode));
}

/** The same, in parts of a millisecond or so. */
export function* replacementInWindows(value: Json, mode: RedactionMode): Cooperative<string> {
  if (mode === 'remove') return '';
  if (mode === 'mask') return MASK;
  if (typeof value === 'object' || (typeof value === 'string' && value.length > HASHED_AT_ONCE)) yield;
  const bytes = utf8ToBytes(typeof value === 'string' ? value : JSON.stringify(value));
  const hash = sha256.create();
  for (let at = 0; ; at += HASHED_AT_ONCE, yield) {
    hash.update(bytes.subarray(at, at + HASHED_AT_ONCE));
    if (at + HASHED_AT_ONCE >= bytes.length) break;
  }
  return `[HASH:${bytesToHex(hash.digest().subarray(0, 8))}]`;
}
