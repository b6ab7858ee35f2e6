import type { Value } from '../connections.ts';
import type { EncodedWrite } from './encoded-write.ts';

/**
 * Values of `OFFLOAD_ARTIFACT`: what the events of a commit refer to. Every commit writes artifacts in the same order, so that no two wait for each
 * other.
 */
export function offloadedBy(writes: readonly EncodedWrite[]): readonly (readonly Value[])[] {
  return writes
    .flatMap(({ id, tenantId, offloaded = [] }) => offloaded.map((artifact) => ({ id, tenantId, artifact })))
    .sort((a, b) => compare(a.tenantId, b.tenantId) || compare(a.artifact.hash, b.artifact.hash))
    .map(({ id, tenantId, artifact: { hash, mediaType, size, createdAtMs, content } }) => {
      const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
      return [tenantId, hash, mediaType, size, createdAtMs, bytes, id];
    });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
