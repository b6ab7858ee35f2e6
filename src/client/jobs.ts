import type { Job, JobList, JobsQuery, StartJob } from '../api/schemas/jobs.ts';
import { type CallOptions, pathSegment, type Transport } from './transport.ts';

/** Bulk jobs: one action on every execution that matches a filter. */
export class JobClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  start(job: StartJob, options?: CallOptions): Promise<Job> {
    return this.#transport.call('POST', '/executions/bulk', { ...options, body: job });
  }

  /** Newest first. */
  list(query: JobsQuery = {}, options?: CallOptions): Promise<JobList> {
    return this.#transport.call('GET', '/jobs', { ...options, query: { ...query } });
  }

  /** With `waitMs`: answers when the job has ended, at the latest after that time. */
  get(id: string, options: CallOptions & { readonly waitMs?: number } = {}): Promise<Job> {
    const { waitMs } = options;
    return this.#transport.call('GET', `/jobs/${pathSegment(id)}`, {
      ...options,
      query: { wait_ms: waitMs },
      ...(waitMs === undefined ? {} : { waitMs }),
    });
  }

  cancel(id: string, options?: CallOptions): Promise<Job> {
    return this.#transport.call('POST', `/jobs/${pathSegment(id)}/cancel`, options);
  }
}
