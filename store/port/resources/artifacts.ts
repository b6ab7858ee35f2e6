import type { ActionContext } from '../control.ts';

export interface ArtifactMetadata {
  /** SHA-256 of the bytes, 64 lower-case hex digits. */
  readonly hash: string;
  /** As given with the first upload of these bytes; null when none was given. */
  readonly mediaType: string | null;
  /** Bytes. */
  readonly size: number;
  readonly createdAtMs: number;
}

export interface Artifact extends ArtifactMetadata {
  readonly content: Uint8Array;
}

/**
 * Bytes by their hash, each once per tenant. A commit writes what its events refer to (`ExecutionWrite.offloaded`); such an artifact is deleted
 * with the last execution that refers to it (`RetentionStore.remove`), unless it was uploaded as well.
 */
export interface ArtifactStore {
  /**
   * Keeps an upload permanently. Resolves to what is stored under the hash: bytes that were there already keep their media type. Logged when
   * anything changes.
   */
  put(artifact: Artifact, context: ActionContext): Promise<ArtifactMetadata>;
  get(tenantId: string, hash: string): Promise<Artifact | null>;
}
