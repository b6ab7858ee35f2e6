import type { ActionContext } from '../writes.ts';

export interface ArtifactHead {
  /** SHA-256 of the bytes, 64 lower-case hex digits. */
  readonly hash: string;
  /** As given by whoever stored these bytes first; null when not given. */
  readonly mediaType: string | null;
  /** Bytes. */
  readonly size: number;
  readonly createdAtMs: number;
}

export interface Artifact extends ArtifactHead {
  readonly content: Uint8Array;
}

/** Bytes by their hash, each once per tenant. Those that a commit spills from its events are written with the commit (`ExecutionWrite.spilled`). */
export interface ArtifactStore {
  /**
   * Keeps an upload for good. Answers what is stored under the hash: bytes that were there already keep their media type. Logged when it
   * changes anything.
   */
  put(artifact: Artifact, context: ActionContext): Promise<ArtifactHead>;
  get(tenantId: string, hash: string): Promise<Artifact | null>;
  /**
   * For whoever removes executions: forgets what their logs refer to, and drops each artifact that nothing refers to any more, unless it
   * was uploaded. In one transaction; a few dozen executions at a time keep it short. An engine that removes executions in a transaction of
   * its own does the same inside it. Answers how many artifacts were dropped.
   */
  release(tenantId: string, executionIds: readonly string[]): Promise<number>;
}
