import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** Executions in one chain that budgets make, at most: one whose first node exceeds the budget would continue forever. */
export const MAX_SEGMENTS = 1_000;

/**
 * Id of the execution that continues another one. It has the form of a UUIDv7 and sorts after the id of that one, also in the same millisecond
 * or when the clock was set back. It follows from the execution, its segment and the time alone, so that every replay gives the same one.
 */
export function nextSegmentId(executionId: string, segment: number, nowMs: number): string {
  const digits = bytesToHex(sha256(utf8ToBytes(`${executionId}\n${segment}`)));
  const variant = ((Number.parseInt(digits.slice(0, 1), 16) & 0x3) | 0x8).toString(16);
  const [ms, order] = placeAfter(executionId, nowMs, (segment + 1) % 0x1000);
  return `exec_${hex(ms, 12)}7${hex(order, 3)}${variant}${digits.slice(1, 16)}`;
}

/** The milliseconds and the 12 bits after them, which count within a millisecond. `order`: the bits, if they are more than those of the id. */
function placeAfter(executionId: string, nowMs: number, order: number): readonly [ms: number, order: number] {
  const [, time = '0', counter = '0'] = /^exec_([0-9a-f]{12})7([0-9a-f]{3})/.exec(executionId) ?? [];
  const [ms, last] = [Number.parseInt(time, 16), Number.parseInt(counter, 16)];
  if (nowMs > ms || (nowMs === ms && order > last)) return [nowMs, order];
  return last === 0xfff ? [ms + 1, 0] : [ms, last + 1];
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
