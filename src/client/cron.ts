import type { CronJob, CronJobList, DeletedCronJob, PutCronJob, TriggeredCronJob } from '../api/schemas/cron.ts';
import { type CallOptions, idempotencyHeader, pathSegment, type Transport } from './transport.ts';

/** The cron jobs of the token's tenant, identified by name. */
export class CronClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Creates a job, or replaces the job with the same name. Rejects with 400 for an invalid expression or time zone. */
  put(job: PutCronJob, options?: CallOptions): Promise<CronJob> {
    return this.#transport.call('POST', '/cron', { ...options, body: job });
  }

  /** Lists all jobs by name. */
  list(options?: CallOptions): Promise<CronJobList> {
    return this.#transport.call('GET', '/cron', options);
  }

  /** Rejects with 404 if the job does not exist. */
  get(name: string, options?: CallOptions): Promise<CronJob> {
    return this.#transport.call('GET', `/cron/${pathSegment(name)}`, options);
  }

  /** Deletes a job; the executions it started continue. */
  delete(name: string, options?: CallOptions): Promise<DeletedCronJob> {
    return this.#transport.call('DELETE', `/cron/${pathSegment(name)}`, options);
  }

  /** Pauses a job; runs that fall into the pause are not caught up. */
  pause(name: string, options?: CallOptions): Promise<CronJob> {
    return this.#transport.call('POST', `/cron/${pathSegment(name)}/pause`, options);
  }

  /** Resumes a paused job with its next scheduled time. */
  resume(name: string, options?: CallOptions): Promise<CronJob> {
    return this.#transport.call('POST', `/cron/${pathSegment(name)}/resume`, options);
  }

  /** Starts an execution now, outside the schedule. With `idempotencyKey`, a repeated request starts no second one. */
  trigger(name: string, options: CallOptions & { readonly idempotencyKey?: string } = {}): Promise<TriggeredCronJob> {
    const headers = idempotencyHeader(options.idempotencyKey);
    return this.#transport.call('POST', `/cron/${pathSegment(name)}/trigger`, { ...options, headers });
  }
}
