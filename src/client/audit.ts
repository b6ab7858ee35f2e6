import type { AuditExportQuery, AuditList, AuditQuery, AuditVerification } from '../api/operations/audit.ts';
import type { CallOptions, Transport } from './transport.ts';

/** Time the server may take to verify its chain. */
const VERIFY_MS = 60 * 60_000;

/** The audit log of the token's tenant. */
export class AuditClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Lists records, newest first; by default 50, at most 200. */
  list(query: AuditQuery = {}, options?: CallOptions): Promise<AuditList> {
    return this.#transport.call('GET', '/audit', { ...options, query: { ...query } });
  }

  /** Verifies the audit chain on the server, which may take minutes. Requires an operator token. */
  verify(options?: CallOptions): Promise<AuditVerification> {
    return this.#transport.call('GET', '/audit/verify', { ...options, waitMs: VERIFY_MS });
  }

  /** Streams the log as JSON lines with their proofs, in chunks. Requires an operator token. */
  export(query: AuditExportQuery = {}, options?: CallOptions): AsyncIterable<Uint8Array> {
    return this.#transport.bytes('/audit/export', { ...options, query: { ...query } });
  }
}
