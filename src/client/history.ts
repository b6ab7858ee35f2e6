import type {
  ForkCheck,
  ForkExecution,
  ForkedExecution,
  PastState,
  ReplayedExecution,
  SnapshotList,
  SnapshotsQuery,
} from '../api/schemas/history.ts';
import { type CallOptions, idempotencyHeader, pathSegment, type Transport } from './transport.ts';

/** Executions as they were, and going on from there. */
export class HistoryClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** After the last step that had ended at or before a sequence; without one, as it is. */
  state(id: string, at?: number, options?: CallOptions): Promise<PastState> {
    return this.#transport.call('GET', `/executions/${pathSegment(id)}/state`, { ...options, query: { at } });
  }

  /** The machine after each step, a page of them: go on after the `sequence` of the last. */
  snapshots(id: string, page: SnapshotsQuery = {}, options?: CallOptions): Promise<SnapshotList> {
    return this.#transport.call('GET', `/executions/${pathSegment(id)}/snapshots`, { ...options, query: { ...page } });
  }

  replay(id: string, options?: CallOptions): Promise<ReplayedExecution> {
    return this.#transport.call('GET', `/executions/${pathSegment(id)}/replay`, options);
  }

  fork(
    id: string,
    request: Omit<ForkExecution, 'dry_run'>,
    options: CallOptions & { readonly idempotencyKey?: string } = {},
  ): Promise<ForkedExecution> {
    const headers = idempotencyHeader(options.idempotencyKey);
    return this.#transport.call('POST', `/executions/${pathSegment(id)}/fork`, { ...options, body: request, headers });
  }

  /** Does the log up to there fit the version? Nothing is started. */
  checkFork(id: string, request: Omit<ForkExecution, 'dry_run'>, options?: CallOptions): Promise<ForkCheck> {
    const body = { ...request, dry_run: true };
    return this.#transport.call('POST', `/executions/${pathSegment(id)}/fork`, { ...options, body });
  }
}
