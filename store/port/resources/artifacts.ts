import type { Artifact, ArtifactMetadata } from '../rows.ts';
import type { ActionContext } from '../writes.ts';

/**
 * Bytes by their hash, each once per tenant. What events refer to is written by the commit (`ExecutionWrite.spilled`), and dropped with the
 * last execution that refers to it (`RetentionStore.remove`), unless it was uploaded as well.
 */
export interface ArtifactStore {
  /**
   * Keeps an upload for good. Answers what is stored under the hash: bytes that were there already keep their media type. Logged when it
   * changes anything.
   */
  put(artifact: Artifact, context: ActionContext): Promise<ArtifactMetadata>;
  get(tenantId: string, hash: string): Promise<Artifact | null>;
}
