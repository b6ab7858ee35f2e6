import type { AuditExportQuery, AuditList, AuditQuery, AuditVerification } from '../api/schemas/audit.ts';
import type { CallOptions, Transport } from './transport.ts';

/** How long the server may take to walk its chain. */
const VERIFY_MS = 60 * 60_000;

/** The audit log of the token's tenant. */
export class AuditClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(query: AuditQuery = {}, options?: CallOptions): Promise<AuditList> {
    return this.#transport.call('GET', '/audit', { ...options, query: { ...query } });
  }

  /** Wants a token of an operator, and may take minutes. */
  verify(options?: CallOptions): Promise<AuditVerification> {
    return this.#transport.call('GET', '/audit/verify', { ...options, waitMs: VERIFY_MS });
  }

  /** Lines of JSON with their proofs, in pieces as they arrive. Wants a token of an operator. */
  export(query: AuditExportQuery = {}, options?: CallOptions): AsyncIterable<Uint8Array> {
    return this.#transport.bytes('/audit/export', { ...options, query: { ...query } });
  }
}
