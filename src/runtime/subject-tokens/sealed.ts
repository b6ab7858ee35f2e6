import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/**
 * A token as it is stored: version 1, 4 bytes that identify the key, 12 of the nonce, 16 of the tag, then the ciphertext (AES-256-GCM). The
 * execution's tenant and id are authenticated, so that a row copied to another execution does not open.
 */
const VERSION = 1;
const HEADER = 5;
const NONCE = 12;
const TAG = 16;

export interface SealedFor {
  readonly tenantId: string;
  readonly executionId: string;
}

/** `key`: 32 bytes. */
export function seal(token: string, key: Buffer, owner: SealedFor): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(contextOf(owner));
  const sealed = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), keyId(key), nonce, cipher.getAuthTag(), sealed]);
}

/** Null = it was sealed with another key, for another execution, or damaged. */
export function open(sealed: Uint8Array, key: Buffer, owner: SealedFor): string | null {
  const bytes = Buffer.from(sealed);
  if (bytes.length < HEADER + NONCE + TAG || bytes[0] !== VERSION || !bytes.subarray(1, HEADER).equals(keyId(key))) return null;
  const nonce = bytes.subarray(HEADER, HEADER + NONCE);
  const tag = bytes.subarray(HEADER + NONCE, HEADER + NONCE + TAG);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(contextOf(owner)).setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(bytes.subarray(HEADER + NONCE + TAG)), decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

function keyId(key: Buffer): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, 4);
}

function contextOf({ tenantId, executionId }: SealedFor): Buffer {
  return Buffer.from(`jamjet subject token\0${tenantId}\0${executionId}`);
}
