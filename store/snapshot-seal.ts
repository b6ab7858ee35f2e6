import { createHmac, hash } from 'node:crypto';
import type { StoredCheckpoint } from './port/executions.ts';

/** A snapshot as it is stored, with its seal. */
export interface SealedSnapshot {
  readonly text: string;
  readonly seq: number;
  /** The kind, and the digest in base64url. */
  readonly digest: string;
}

/**
 * `intact`: unchanged, or signed with a key that is not known here · `unsigned`: there is a signing key, but the snapshot was stored without a
 * signature · `broken`: changed after it was stored.
 */
export type SnapshotSeal = 'intact' | 'unsigned' | 'broken';

const SEAL = /^(sha256|hmac) [\w-]{43}$/;

type Key = string | Uint8Array | null;

/** The digest of a snapshot and its place, signed if there is a key. */
export function sealOf(key: Key, executionId: string, seq: number, text: string): string {
  const content = `snapshot ${executionId} ${seq}\n${text}`;
  const digest =
    key === null ? hash('sha256', content, 'base64url') : createHmac('sha256', key).update(content).digest('base64url');
  return `${kindOf(key)} ${digest}`;
}

export function checkSeal(key: Key, executionId: string, { text, seq, digest }: SealedSnapshot): SnapshotSeal {
  const kind = SEAL.exec(digest)?.[1];
  if (kind === undefined) return 'broken';
  // A signature cannot be checked without the key.
  if (kind !== kindOf(key)) return key === null ? 'intact' : 'unsigned';
  return digest === sealOf(key, executionId, seq, text) ? 'intact' : 'broken';
}

function kindOf(key: Key): 'sha256' | 'hmac' {
  return key === null ? 'sha256' : 'hmac';
}

/** A checkpoint as the port returns it: `seal` is present when the snapshot must not be used. */
export function storedSnapshot(key: Key, executionId: string, { text, seq, digest }: SealedSnapshot): StoredCheckpoint {
  const seal = checkSeal(key, executionId, { text, seq, digest });
  return seal === 'intact' ? { text, seq } : { text, seq, seal };
}
