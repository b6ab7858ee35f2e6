import type { Job, JobList, JobsQuery, StartJob } from '../api/operations/jobs.ts';
import { type CallOptions, pathSegment, type Transport } from './transport.ts';

/** Bulk jobs: one action on all executions that match a filter. */
export class JobClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Starts a job and resolves without waiting for its end. */
  start(job: StartJob, options?: CallOptions): Promise<Job> {
    return this.#transport.call('POST', '/executions/bulk', { ...options, body: job });
  }

  /** Lists jobs, newest first; by default 50, at most 200. */
  list(query: JobsQuery = {}, options?: CallOptions): Promise<JobList> {
    return this.#transport.call('GET', '/jobs', { ...options, query: { ...query } });
  }

  /**
   * With `waitMs`, the server replies when the job has ended, or after that time; with `updatedAfter`, the `updated_at` of an earlier reply, also
   * when the job has made progress since. Rejects with 404 if the job does not exist.
   */
  get(id: string, options: CallOptions & { readonly waitMs?: number; readonly updatedAfter?: string } = {}): Promise<Job> {
    const { waitMs, updatedAfter } = options;
    return this.#transport.call('GET', `/jobs/${pathSegment(id)}`, {
      ...options,
      query: { wait_ms: waitMs, updated_after: updatedAfter },
      ...(waitMs === undefined ? {} : { waitMs }),
    });
  }

  /** Cancels a job; executions it has already processed keep their new state. */
  cancel(id: string, options?: CallOptions): Promise<Job> {
    return this.#transport.call('POST', `/jobs/${pathSegment(id)}/cancel`, options);
  }
}
