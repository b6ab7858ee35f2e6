import { createHmac, hash } from 'node:crypto';
import type { StoredCheckpoint } from './port/executions.ts';

/** A snapshot as it is stored, with its seal. */
export interface SealedSnapshot {
  readonly text: string;
  readonly seq: number;
  /** Null = stored by a release without seals. */
  readonly digest: string | null;
}

/**
 * `intact`: unchanged, or, without a signing key, stored by a release without seals · `unsigned`: there is a signing key, but the snapshot was stored
 * without a signature · `broken`: changed after it was stored.
 */
export type SnapshotSeal = 'intact' | 'unsigned' | 'broken';

/** The sequence, the kind, and the digest in base64url. */
const SEAL = /^\d+ (?:sha256|hmac) [\w-]{43}$/;

type Key = string | Uint8Array | null;

/** The digest of a snapshot, signed if there is a key. Includes the sequence, because a release without seals advances it without a new seal. */
export function sealOf(key: Key, executionId: string, seq: number, text: string): string {
  const content = `snapshot 1 ${executionId} ${seq}\n${text}`;
  const digest =
    key === null ? hash('sha256', content, 'base64url') : createHmac('sha256', key).update(content).digest('base64url');
  return `${seq} ${key === null ? 'sha256' : 'hmac'} ${digest}`;
}

export function checkSeal(key: Key, executionId: string, { text, seq, digest }: SealedSnapshot): SnapshotSeal {
  if (digest !== null && !SEAL.test(digest)) return 'broken';
  const [at, kind] = digest?.split(' ') ?? [];
  // A release without seals advances the sequence, and never decreases it.
  if (Number(at) > seq) return 'broken';
  // A signature cannot be checked without the key.
  const isComparable = at === String(seq) && kind === (key === null ? 'sha256' : 'hmac');
  if (!isComparable) return key === null ? 'intact' : 'unsigned';
  return digest === sealOf(key, executionId, seq, text) ? 'intact' : 'broken';
}

/** A checkpoint as the port returns it: `seal` is present when the snapshot must not be used. */
export function storedSnapshot(key: Key, executionId: string, { text, seq, digest }: SealedSnapshot): StoredCheckpoint {
  const seal = checkSeal(key, executionId, { text, seq, digest });
  return seal === 'intact' ? { text, seq } : { text, seq, seal };
}
