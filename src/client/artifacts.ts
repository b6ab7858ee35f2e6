import type { StoredArtifact } from '../api/schemas/artifacts.ts';
import { type CallOptions, type Download, pathSegment, type Transport } from './transport.ts';

/** The artifacts of the token's tenant: bytes addressed by their SHA-256 hash. */
export class ArtifactClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Stores bytes, at most 8 MiB; equal content is stored once. `mediaType` null = none. */
  put(bytes: Uint8Array, mediaType: string | null, options?: CallOptions): Promise<StoredArtifact> {
    const headers: Record<string, string> = mediaType === null ? {} : { 'content-type': mediaType };
    return this.#transport.call('POST', '/artifacts', { ...options, body: bytes, headers });
  }

  /** Rejects with 404 if the artifact does not exist. */
  get(hash: string, options?: CallOptions): Promise<Download> {
    return this.#transport.download(`/artifacts/${pathSegment(hash)}`, options);
  }
}
