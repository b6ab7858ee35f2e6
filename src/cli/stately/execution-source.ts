import { EventEmitter, once } from 'node:events';
import type { JamjetClient, SnapshotList } from '../../client/index.ts';
import { isTerminal } from '../terminal/status.ts';
import type { Reconnector } from './reconnector.ts';

/** Snapshots at once: as many as the server gives. */
const PAGE = 500;

export interface ExecutionSourceOptions {
  readonly client: JamjetClient;
  readonly reconnector: Reconnector;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** Told of what ends following, other than the signal. */
  readonly onFailed: (error: unknown) => void;
}

/** An execution that is followed: how far it has come, and its snapshots. One for all viewers. */
export class ExecutionSource {
  readonly id: string;
  readonly workflowId: string;
  /** The config of its machine, as JSON text. */
  readonly definition: string;
  readonly #options: ExecutionSourceOptions;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  /** Sequence of the last event that was heard of. */
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

  /** Rejects when the server has no such execution. */
  static async open(options: ExecutionSourceOptions, executionId: string): Promise<ExecutionSource> {
    const { client, reconnector, signal } = options;
    const { execution, bytes } = await reconnector.retryWhileUnreachable(async () => ({
      execution: await client.execution(executionId, { signal }),
      bytes: (await client.pictures.execution(executionId, { format: 'xstate', marks: false }, { signal })).bytes,
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

  /** Nothing comes after this. */
  isEnd(sequence: number): boolean {
    return this.ended && sequence >= this.#lastSequence;
  }

  async page(after: number): Promise<SnapshotList> {
    const { client, reconnector, signal } = this.#options;
    const page = await reconnector.retryWhileUnreachable(() =>
      client.history.snapshots(this.id, { after, limit: PAGE }, { signal }),
    );
    // A retry has set it going again.
    if (this.ended && !isTerminal(page.status)) {
      this.#lastSequence = page.sequence;
      this.#status = page.status;
      this.#follow();
    }
    return page;
  }

  /** Resolves when there is something after `after`, or nothing comes any more. Rejects when the signal aborts. */
  async waitForEventAfter(after: number, signal: AbortSignal): Promise<void> {
    while (!this.ended && this.#lastSequence <= after) await once(this.#changes, 'change', { signal });
  }

  /** Resolves when it has ended. Rejects when the signal aborts. */
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

  /** Hears of every commit until there are no more. Resolves to how it stands then. */
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
