import type {
  ForkCheck,
  ForkExecution,
  ForkedExecution,
  PastState,
  ReplayedExecution,
  SnapshotList,
  SnapshotsQuery,
} from '../api/operations/history.ts';
import { type CallOptions, idempotencyHeader, pathSegment, type Transport } from './transport.ts';

/** Earlier states of executions, and forks from them. */
export class HistoryClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The state after the last step that ended at or before the sequence `at`; without `at`, the current state. */
  state(id: string, at?: number, options?: CallOptions): Promise<PastState> {
    return this.#transport.call('GET', `/executions/${pathSegment(id)}/state`, { ...options, query: { at } });
  }

  /** Machine snapshots after each step, one page; continue after the `sequence` of the last. */
  snapshots(id: string, page: SnapshotsQuery = {}, options?: CallOptions): Promise<SnapshotList> {
    return this.#transport.call('GET', `/executions/${pathSegment(id)}/snapshots`, { ...options, query: { ...page } });
  }

  /** Replays the log on the server and compares the result with the stored state. Calls no tools or workers. */
  replay(id: string, options?: CallOptions): Promise<ReplayedExecution> {
    return this.#transport.call('GET', `/executions/${pathSegment(id)}/replay`, options);
  }

  /**
   * Starts a new execution from a point in the log of another. Rejects with 409 if the log does not fit the version, or if a decision in it
   * would change. With `idempotencyKey`, a repeated request starts no second one.
   */
  fork(
    id: string,
    request: Omit<ForkExecution, 'dry_run'>,
    options: CallOptions & { readonly idempotencyKey?: string } = {},
  ): Promise<ForkedExecution> {
    const headers = idempotencyHeader(options.idempotencyKey);
    return this.#transport.call('POST', `/executions/${pathSegment(id)}/fork`, { ...options, body: request, headers });
  }

  /** Checks whether a fork is possible and which decisions it would keep. Starts nothing. */
  checkFork(id: string, request: Omit<ForkExecution, 'dry_run'>, options?: CallOptions): Promise<ForkCheck> {
    const body = { ...request, dry_run: true };
    return this.#transport.call('POST', `/executions/${pathSegment(id)}/fork`, { ...options, body });
  }
}
