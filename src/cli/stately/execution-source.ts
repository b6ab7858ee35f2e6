import { EventEmitter, once } from 'node:events';
import type { JamjetClient, SnapshotList } from '../../client/index.ts';
import type { Reconnector } from '../connection/reconnector.ts';
import { isTerminal } from '../terminal/status.ts';

/** Snapshots per page: the maximum of the server. */
const PAGE = 500;

export interface ExecutionSourceOptions {
  readonly client: JamjetClient;
  readonly reconnector: Reconnector;
  /** Ends following. */
  readonly signal: AbortSignal;
  /** Called if following fails. */
  readonly onFailed: (error: unknown) => void;
}

/** A followed execution: its progress and its snapshots. Shared by all viewers. */
export class ExecutionSource {
  readonly id: string;
  readonly workflowId: string;
  /** Machine config as JSON text. */
  readonly definition: string;
  readonly #options: ExecutionSourceOptions;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  /** Sequence of the last known event. */
  #lastSequence: number;
  #status: string;

  private constructor(
    options: ExecutionSourceOptions,
    at: {
      readonly id: string;
      readonly workflowId: string;
      readonly definition: string;
      readonly committed: number;
      readonly status: string;
    },
  ) {
    this.#options = options;
    this.id = at.id;
    this.workflowId = at.workflowId;
    this.definition = at.definition;
    this.#lastSequence = at.committed;
    this.#status = at.status;
  }

  /** Rejects if the execution does not exist. */
  static async open(options: ExecutionSourceOptions, executionId: string): Promise<ExecutionSource> {
    const { client, reconnector, signal } = options;
    const { execution, bytes } = await reconnector.retryWhileUnreachable(async () => ({
      execution: await client.execution(executionId, { signal }),
      bytes: (await client.diagrams.execution(executionId, { format: 'xstate', marks: false }, { signal })).bytes,
    }));
    const source = new ExecutionSource(options, {
      id: execution.execution_id,
      workflowId: execution.workflow_id,
      definition: JSON.stringify(JSON.parse(new TextDecoder().decode(bytes))),
      committed: execution.sequence,
      status: execution.status,
    });
    source.#follow();
    return source;
  }

  get status(): string {
    return this.#status;
  }

  get ended(): boolean {
    return isTerminal(this.#status);
  }

  /** Whether the execution has ended and has no events after `sequence`. */
  isEnd(sequence: number): boolean {
    return this.ended && sequence >= this.#lastSequence;
  }

  async page(after: number): Promise<SnapshotList> {
    const { client, reconnector, signal } = this.#options;
    const page = await reconnector.retryWhileUnreachable(() =>
      client.history.snapshots(this.id, { after, limit: PAGE }, { signal }),
    );
    // A retry has restarted the execution.
    if (this.ended && !isTerminal(page.status)) {
      this.#lastSequence = page.sequence;
      this.#status = page.status;
      this.#follow();
    }
    return page;
  }

  /** Resolves when there is an event after `after`, or the execution has ended. Rejects when the signal aborts. */
  async waitForEventAfter(after: number, signal: AbortSignal): Promise<void> {
    while (!this.ended && this.#lastSequence <= after) await once(this.#changes, 'change', { signal });
  }

  /** Resolves when the execution has ended. Rejects when the signal aborts. */
  async waitForEnd(signal: AbortSignal): Promise<void> {
    while (!this.ended) await once(this.#changes, 'change', { signal });
  }

  #follow(): void {
    if (this.ended) return;
    this.#followToEnd().then(
      (status) => {
        this.#status = status;
        this.#changes.emit('change');
      },
      (error: unknown) => {
        if (!this.#options.signal.aborted) this.#options.onFailed(error);
      },
    );
  }

  /** Follows the log until the execution ends; resolves to its status. */
  async #followToEnd(): Promise<string> {
    const { client, reconnector, signal } = this.#options;
    for (;;) {
      await reconnector.retryWhileUnreachable(async () => {
        for await (const { sequence } of client.live.execution(this.id, { after: this.#lastSequence, signal })) {
          this.#lastSequence = sequence;
          this.#changes.emit('change');
        }
      });
      const { status, sequence } = await reconnector.retryWhileUnreachable(() => client.execution(this.id, { signal }));
      this.#lastSequence = Math.max(this.#lastSequence, sequence);
      if (isTerminal(status)) return status;
    }
  }
}
