import { EventEmitter, once } from 'node:events';
import type { JamjetClient, SnapshotList } from '../../client.ts';
import { isTerminal } from '../terminal/status.ts';
import type { Link } from './link.ts';

/** Snapshots at once: as many as the server gives. */
const PAGE = 500;

export interface SourceOptions {
  readonly client: JamjetClient;
  readonly link: Link;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** Told of what ends following, other than the signal. */
  readonly failed: (error: unknown) => void;
}

/** An execution that is followed: how far it has come, and its snapshots. One for all viewers. */
export class Source {
  readonly id: string;
  readonly workflowId: string;
  /** The config of its machine, as JSON text. */
  readonly definition: string;
  readonly #options: SourceOptions;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  /** Sequence of the last event that was heard of. */
  #committed: number;
  #status: string;

  private constructor(
    options: SourceOptions,
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
    this.#committed = at.committed;
    this.#status = at.status;
  }

  /** Rejects when the server has no such execution. */
  static async open(options: SourceOptions, executionId: string): Promise<Source> {
    const { client, link, signal } = options;
    const { execution, bytes } = await link.insist(async () => ({
      execution: await client.execution(executionId, { signal }),
      bytes: (await client.pictures.execution(executionId, { format: 'xstate', marks: false }, { signal })).bytes,
    }));
    const source = new Source(options, {
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

  get over(): boolean {
    return isTerminal(this.#status);
  }

  /** Nothing comes after this. */
  isEnd(sequence: number): boolean {
    return this.over && sequence >= this.#committed;
  }

  async page(after: number): Promise<SnapshotList> {
    const { client, link, signal } = this.#options;
    const page = await link.insist(() => client.history.snapshots(this.id, { after, limit: PAGE }, { signal }));
    // A retry has set it going again.
    if (this.over && !isTerminal(page.status)) {
      this.#committed = page.sequence;
      this.#status = page.status;
      this.#follow();
    }
    return page;
  }

  /** Resolves when there is something after `after`, or nothing comes any more. Rejects when the signal aborts. */
  async beyond(after: number, signal: AbortSignal): Promise<void> {
    while (!this.over && this.#committed <= after) await once(this.#changes, 'change', { signal });
  }

  /** Resolves when it has ended. Rejects when the signal aborts. */
  async ended(signal: AbortSignal): Promise<void> {
    while (!this.over) await once(this.#changes, 'change', { signal });
  }

  #follow(): void {
    if (this.over) return;
    this.#toItsEnd().then(
      (status) => {
        this.#status = status;
        this.#changes.emit('change');
      },
      (error: unknown) => {
        if (!this.#options.signal.aborted) this.#options.failed(error);
      },
    );
  }

  /** Hears of every commit until there are no more. Resolves to how it stands then. */
  async #toItsEnd(): Promise<string> {
    const { client, link, signal } = this.#options;
    for (;;) {
      await link.insist(async () => {
        for await (const { sequence } of client.live.execution(this.id, { after: this.#committed, signal })) {
          this.#committed = sequence;
          this.#changes.emit('change');
        }
      });
      const { status, sequence } = await link.insist(() => client.execution(this.id, { signal }));
      this.#committed = Math.max(this.#committed, sequence);
      if (isTerminal(status)) return status;
    }
  }
}
