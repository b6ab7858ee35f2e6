import type { AuditReport } from '../../store/port/resources/audit.ts';
import type { Store } from '../../store/port/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { Coalesced } from '../runtime/coalesce.ts';
import { RuntimeError } from '../runtime/errors.ts';
import type { Service } from './service.ts';

export interface AuditOptions {
  readonly store: Pick<Store, 'audit' | 'verifyAudit'>;
  readonly clock: Clock;
}

/** Operations over the whole audit log. They may take minutes and are aborted when the server closes. */
export class Audit implements Service {
  readonly #store: AuditOptions['store'];
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #verifications: Coalesced<AuditReport>;

  constructor({ store, clock }: AuditOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#verifications = new Coalesced(() => store.verifyAudit(this.#closing.signal));
  }

  async start(): Promise<void> {}

  async close(): Promise<void> {
    this.#closing.abort(new RuntimeError('shutting_down', 'the server is shutting down', { retryAfterMs: 2000 }));
    await this.#verifications.idle();
  }

  /** One verification runs at a time. A call during one shares the next, since a verification sees the database as of its start. */
  verify(): Promise<AuditReport> {
    return this.#verifications.run();
  }

  /** Rejects with `unknown_block`, or with `shutting_down` if the server closes before the export ends. */
  export(tenantId: string, fromBlock: number): AsyncIterable<string> {
    return this.#store.audit.export(tenantId, { fromBlock, atMs: this.#clock.nowMs(), signal: this.#closing.signal });
  }
}
