import type { AuditReport } from '../../store/port/rows.ts';
import type { Store } from '../../store/port/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { RuntimeError } from '../runtime/errors.ts';
import type { Service } from './service.ts';

export interface AuditOptions {
  readonly store: Pick<Store, 'audit' | 'verifyAudit'>;
  readonly clock: Clock;
}

/** What is done with the audit log as a whole, which may take minutes: it ends when the server closes. */
export class Audit implements Service {
  readonly #store: AuditOptions['store'];
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #running: Promise<AuditReport> | null = null;
  #next: Promise<AuditReport> | null = null;

  constructor({ store, clock }: AuditOptions) {
    this.#store = store;
    this.#clock = clock;
  }

  async start(): Promise<void> {}

  async close(): Promise<void> {
    this.#closing.abort(new RuntimeError('shutting_down', 'the server is shutting down', { retryAfterMs: 2000 }));
    await Promise.allSettled([this.#running, this.#next]);
  }

  /** One walk at a time. Who asks during one shares the next: a walk sees the database as it was when it began. */
  verify(): Promise<AuditReport> {
    if (this.#running === null) {
      this.#running = this.#startVerification();
      return this.#running;
    }
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        this.#running = this.#startVerification();
        return this.#running;
      });
    return this.#next;
  }

  /** Rejects with `unknown_block`, and with `shutting_down` when the server closes meanwhile. */
  export(tenantId: string, fromBlock: number): AsyncIterable<string> {
    return this.#store.audit.export(tenantId, { fromBlock, atMs: this.#clock.nowMs(), signal: this.#closing.signal });
  }

  async #startVerification(): Promise<AuditReport> {
    try {
      return await this.#store.verifyAudit(this.#closing.signal);
    } finally {
      this.#running = null;
    }
  }
}
