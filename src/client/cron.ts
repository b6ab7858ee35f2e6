import type { CronJob, CronJobList, DeletedCronJob, PutCronJob, TriggeredCronJob } from '../api/schemas/cron.ts';
import { type CallOptions, idempotencyHeader, pathSegment, type Transport } from './transport.ts';

/** The cron jobs of the token's tenant, named by their name. */
export class CronClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** A job of the same name is replaced. */
  put(job: PutCronJob, options?: CallOptions): Promise<CronJob> {
    return this.#transport.call('POST', '/cron', { ...options, body: job });
  }

  list(options?: CallOptions): Promise<CronJobList> {
    return this.#transport.call('GET', '/cron', options);
  }

  get(name: string, options?: CallOptions): Promise<CronJob> {
    return this.#transport.call('GET', `/cron/${pathSegment(name)}`, options);
  }

  delete(name: string, options?: CallOptions): Promise<DeletedCronJob> {
    return this.#transport.call('DELETE', `/cron/${pathSegment(name)}`, options);
  }

  pause(name: string, options?: CallOptions): Promise<CronJob> {
    return this.#transport.call('POST', `/cron/${pathSegment(name)}/pause`, options);
  }

  resume(name: string, options?: CallOptions): Promise<CronJob> {
    return this.#transport.call('POST', `/cron/${pathSegment(name)}/resume`, options);
  }

  /** Runs it now, outside its schedule. */
  trigger(name: string, options: CallOptions & { readonly idempotencyKey?: string } = {}): Promise<TriggeredCronJob> {
    const headers = idempotencyHeader(options.idempotencyKey);
    return this.#transport.call('POST', `/cron/${pathSegment(name)}/trigger`, { ...options, headers });
  }
}
