import type { StoredArtifact } from '../api/schemas/artifacts.ts';
import { type CallOptions, type Download, pathSegment, type Transport } from './transport.ts';

/** Bytes by their hash, of the token's tenant. */
export class ArtifactClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** At most 8 MiB. */
  put(bytes: Uint8Array, mediaType: string | null, options?: CallOptions): Promise<StoredArtifact> {
    const headers: Record<string, string> = mediaType === null ? {} : { 'content-type': mediaType };
    return this.#transport.call('POST', '/artifacts', { ...options, body: bytes, headers });
  }

  get(hash: string, options?: CallOptions): Promise<Download> {
    return this.#transport.download(`/artifacts/${pathSegment(hash)}`, options);
  }
}
