import type { StreamDigest } from './digest.ts';

/**
 * The streams of a block as they are stored: a byte with the version of this form, then each stream as
 *
 * - a byte of flags,
 * - the tenant, unless it is that of the stream before,
 * - the execution: 16 bytes for `exec_` and 32 hexadecimal digits, without those that it shares with the last such execution; otherwise text; nothing for
 *   the control plane,
 * - the first sequence, and how many follow up to the last,
 * - the digest: 32 bytes, or text if it is not in the form in which we write it.
 *
 * Numbers have seven bits per byte, the lowest first; the highest bit is set in all bytes but the last. Text is its length in bytes and UTF-8.
 */
const FORM = 1;

const NEW_TENANT = 1;
const CONTROL_PLANE = 2;
const HEX_ID = 4;
const BINARY_DIGEST = 8;
/** How many bytes of the execution's id are shared is in the other bits: ids begin with the time, and executions of a block began at about the same time. */
const SHARED_SHIFT = 4;
const MAX_SHARED_BYTES = 7;

const PREFIX = 'exec_';
const HEX_EXECUTION = /^exec_[0-9a-f]{32}$/;
const HEX_BYTES = 16;
const DIGEST = /^[\w-]{42}[AEIMQUYcgkosw048]$/;
const DIGEST_BYTES = 32;
/** Above the bytes of a stream whose texts are all packed: flags, two numbers, id, digest. */
const FIXED_BYTES = 1 + 8 + 8 + HEX_BYTES + DIGEST_BYTES;
const MAX_NUMBER_BYTES = 8;
const UTF8_BYTES_PER_CHAR = 3;

/** Serializes the streams of a block for storage. */
export function packStreams(streams: readonly StreamDigest[]): Uint8Array {
  const writer = new Writer(streams.reduce((bytes, stream) => bytes + maxBytes(stream), 1));
  writer.byte(FORM);
  let tenant: string | null = null;
  let hexId = '';
  for (const { tenantId, executionId, firstSeq, lastSeq, digest } of streams) {
    const isHex = executionId !== null && HEX_EXECUTION.test(executionId);
    const hexBefore = hexId;
    if (isHex) hexId = executionId.slice(PREFIX.length);
    const shared = isHex ? sharedBytes(hexBefore, hexId) : 0;
    const isBinary = DIGEST.test(digest);
    writer.byte(
      (tenantId === tenant ? 0 : NEW_TENANT) |
        (executionId === null ? CONTROL_PLANE : 0) |
        (isHex ? HEX_ID : 0) |
        (isBinary ? BINARY_DIGEST : 0) |
        (shared << SHARED_SHIFT),
    );
    if (tenantId !== tenant) writer.text(tenantId);
    if (isHex) writer.bytes(hexId.slice(2 * shared), 'hex');
    else if (executionId !== null) writer.text(executionId);
    writer.number(firstSeq);
    writer.number(lastSeq - firstSeq);
    if (isBinary) writer.bytes(digest, 'base64url');
    else writer.text(digest);
    tenant = tenantId;
  }
  return writer.written;
}

function sharedBytes(before: string, hexId: string): number {
  let digits = 0;
  while (digits < 2 * MAX_SHARED_BYTES && before.charCodeAt(digits) === hexId.charCodeAt(digits)) digits += 1;
  return digits >> 1;
}

function maxBytes({ tenantId, executionId, digest }: StreamDigest): number {
  const chars = tenantId.length + (executionId ?? '').length + digest.length;
  return FIXED_BYTES + 3 * MAX_NUMBER_BYTES + UTF8_BYTES_PER_CHAR * chars;
}

/** Parses stored streams. Invalid bytes yield an empty list: the block's hash covers the digests, so the change is detected. */
export function unpackStreams(packed: Uint8Array): readonly StreamDigest[] {
  const reader = new Reader(packed);
  const streams: StreamDigest[] = [];
  try {
    const form = reader.byte();
    if (form !== FORM) return [];
    let tenantId = '';
    let hexId = '';
    while (!reader.atEnd) {
      const flags = reader.byte();
      if ((flags & NEW_TENANT) !== 0) tenantId = reader.text();
      if ((flags & HEX_ID) !== 0) {
        const shared = flags >> SHARED_SHIFT;
        hexId = hexId.slice(0, 2 * shared) + reader.bytes(HEX_BYTES - shared, 'hex');
      }
      const executionId = (flags & CONTROL_PLANE) !== 0 ? null : (flags & HEX_ID) !== 0 ? PREFIX + hexId : reader.text();
      const firstSeq = reader.number();
      const lastSeq = firstSeq + reader.number();
      const digest = (flags & BINARY_DIGEST) === 0 ? reader.text() : reader.bytes(DIGEST_BYTES, 'base64url');
      streams.push({ tenantId, executionId, firstSeq, lastSeq, digest });
    }
    return streams;
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

class Writer {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  get written(): Uint8Array {
    return this.#buffer.subarray(0, this.#at);
  }

  byte(value: number): void {
    this.#buffer[this.#at] = value;
    this.#at += 1;
  }

  number(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 128);
    this.byte(rest);
  }

  bytes(text: string, encoding: 'hex' | 'base64url' | 'utf8'): void {
    this.#at += this.#buffer.write(text, this.#at, encoding);
  }

  text(text: string): void {
    this.number(Buffer.byteLength(text));
    this.bytes(text, 'utf8');
  }
}

/** Throws `RangeError` beyond the end, and for numbers and texts that `Writer` does not write. */
class Reader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(packed: Uint8Array) {
    this.#buffer = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#buffer.length;
  }

  byte(): number {
    const byte = this.#buffer.readUInt8(this.#at);
    this.#at += 1;
    return byte;
  }

  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (!Number.isSafeInteger(value)) throw new RangeError('the number is too large');
      if (byte < 128) return value;
    }
  }

  bytes(length: number, encoding: 'hex' | 'base64url' | 'utf8'): string {
    const end = this.#at + length;
    if (end > this.#buffer.length) throw new RangeError('the bytes end too early');
    const text = this.#buffer.toString(encoding, this.#at, end);
    this.#at = end;
    return text;
  }

  text(): string {
    return this.bytes(this.number(), 'utf8');
  }
}
