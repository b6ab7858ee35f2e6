import { randomBytes } from 'node:crypto';

/** Makes ids that are random and sort by the time at which they were made. */
export interface Ids {
  /** `exec_` and the 32 hex digits of a UUIDv7. */
  execution(nowMs: number): string;
  /** UUIDv7 with dashes. */
  workItem(nowMs: number): string;
  /** The 32 hex digits of a UUIDv7, in one order with those of execution ids. */
  watermark(nowMs: number): string;
  /** 22 random characters. */
  salt(): string;
}

const POOL_BYTES = 4096;
const RANDOM_BYTES = 8;
const SALT_BYTES = 16;

/** A source of random bytes: the operating system, or a simulation's seed. */
export type RandomBytes = (size: number) => Buffer;

/** Makes UUIDv7 (RFC 9562, method 1): ids made in the same millisecond count up in the 12 bits after the time. */
export function createIds(random: RandomBytes = randomBytes): Ids {
  let pool = random(POOL_BYTES);
  let used = 0;
  let lastMs = 0;
  let counter = 0;

  function uuidHex(nowMs: number): string {
    if (nowMs > lastMs) {
      lastMs = nowMs;
      counter = 0;
    } else if (++counter > 0xfff) {
      lastMs += 1;
      counter = 0;
    }
    if (used + RANDOM_BYTES > POOL_BYTES) {
      pool = random(POOL_BYTES);
      used = 0;
    }
    const digits = pool.toString('hex', used, used + RANDOM_BYTES);
    used += RANDOM_BYTES;
    const variant = ((Number.parseInt(digits.slice(0, 1), 16) & 0x3) | 0x8).toString(16);
    return `${lastMs.toString(16).padStart(12, '0')}7${counter.toString(16).padStart(3, '0')}${variant}${digits.slice(1)}`;
  }

  return {
    execution: (nowMs) => `exec_${uuidHex(nowMs)}`,
    watermark: uuidHex,
    salt: () => random(SALT_BYTES).toString('base64url'),
    workItem(nowMs) {
      const hex = uuidHex(nowMs);
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
  };
}

/** A lower bound of the execution ids made at `ms` or later; earlier ids sort before it. */
export function firstExecutionIdAt(ms: number): string {
  const whole = Math.min(Math.max(Math.ceil(ms), 0), 2 ** 48 - 1);
  return `exec_${whole.toString(16).padStart(12, '0')}`;
}

/** A lower bound of the work item ids made at `ms` or later. */
export function firstWorkItemIdAt(ms: number): string {
  const hex = firstExecutionIdAt(ms).slice('exec_'.length);
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** A new runtime id. It is short because it is written with most events. */
export function randomRuntimeId(): string {
  return `runtime-${randomBytes(RANDOM_BYTES).toString('hex')}`;
}
