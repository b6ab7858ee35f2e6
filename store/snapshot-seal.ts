import { createHmac, hash } from 'node:crypto';

/** A snapshot as it is stored, with what it was sealed with. */
export interface SealedSnapshot {
  readonly text: string;
  readonly seq: number;
  /** Null = it was stored before snapshots were sealed. */
  readonly digest: string | null;
}

/**
 * `intact`: as it was stored, or, without a signing key, stored before snapshots were sealed · `unsigned`: there is a signing key, and the
 * snapshot does not carry its signature: it was stored before · `broken`: it was changed since it was stored.
 */
export type SnapshotSeal = 'intact' | 'unsigned' | 'broken';

type Key = string | Uint8Array | null;

/** The digest of a snapshot: signed where there is a key. It names the sequence, since a release without it moves that on alone. */
export function sealOf(key: Key, executionId: string, seq: number, text: string): string {
  const content = `snapshot 1 ${executionId} ${seq}\n${text}`;
  const digest =
    key === null ? hash('sha256', content, 'base64url') : createHmac('sha256', key).update(content).digest('base64url');
  return `${seq} ${key === null ? 'sha256' : 'hmac'} ${digest}`;
}

export function checkSeal(key: Key, executionId: string, { text, seq, digest }: SealedSnapshot): SnapshotSeal {
  const [at, kind] = digest?.split(' ') ?? [];
  // A release that does not seal moves the sequence on, never back.
  if (Number(at) > seq) return 'broken';
  // One that is signed cannot be checked without the key.
  const isComparable = at === String(seq) && kind === (key === null ? 'sha256' : 'hmac');
  if (!isComparable) return key === null ? 'intact' : 'unsigned';
  return digest === sealOf(key, executionId, seq, text) ? 'intact' : 'broken';
}

/** As the port gives it: `seal` is there when the snapshot is not to be trusted. Null when there is none. */
export function storedSnapshot(
  key: Key,
  executionId: string,
  { text, seq, digest }: Omit<SealedSnapshot, 'text'> & { readonly text: string | null },
): { readonly text: string; readonly seq: number; readonly seal?: 'unsigned' | 'broken' } | null {
  if (text === null) return null;
  const seal = checkSeal(key, executionId, { text, seq, digest });
  return seal === 'intact' ? { text, seq } : { text, seq, seal };
}
