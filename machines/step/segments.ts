import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** Executions in one chain that budgets make, at most: one whose first node exceeds the budget would continue forever. */
export const MAX_SEGMENTS = 1_000;

/**
 * Id of the execution that continues another one. It has the form of a UUIDv7, so that it sorts by its time, and in the same millisecond
 * by its segment, of which it has the last 12 bits. It follows from the execution, its segment and the time alone, so that every replay gives the same one.
 */
export function nextSegmentId(executionId: string, segment: number, nowMs: number): string {
  const digits = bytesToHex(sha256(utf8ToBytes(`${executionId}\n${segment}`)));
  const variant = ((Number.parseInt(digits.slice(0, 1), 16) & 0x3) | 0x8).toString(16);
  const order = ((segment + 1) % 0x1000).toString(16).padStart(3, '0');
  return `exec_${nowMs.toString(16).padStart(12, '0')}7${order}${variant}${digits.slice(1, 16)}`;
}
