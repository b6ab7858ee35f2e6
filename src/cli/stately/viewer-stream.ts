import { ApiError } from '../../client/index.ts';
import type { ExecutionSource } from './execution-source.ts';
import { type Actor, actorMessage, childrenStarted, type InspectionMessage, stepMessages } from './protocol.ts';

export interface ViewerStreamOptions {
  /** The same execution is always the same source. */
  readonly sourceOf: (executionId: string) => Promise<ExecutionSource>;
  /** Resolves when the viewer has room for more. */
  readonly send: (message: InspectionMessage) => Promise<void>;
  /** Aborted when the viewer has gone. */
  readonly signal: AbortSignal;
  /** Told of a child execution that is not there any more. */
  readonly onMissing: (executionId: string) => void;
}

/**
 * Everything one viewer gets: an execution from its start, its child executions as they were started, then what happens until all of them
 * have ended. It reads at the viewer's pace, and keeps a page of snapshots at most.
 */
export class ViewerStream {
  readonly #options: ViewerStreamOptions;
  readonly #children = new Set<Promise<void>>();
  #fail: (error: unknown) => void = () => undefined;

  constructor(options: ViewerStreamOptions) {
    this.#options = options;
  }

  /** Resolves when the viewer has everything and nothing comes any more. Rejects with whatever ends it before. */
  async run(source: ExecutionSource): Promise<void> {
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    await Promise.race([failed, this.#sendTree(source)]);
  }

  async #sendTree(source: ExecutionSource): Promise<void> {
    await this.#sendExecution(source, { rootId: source.id, parentId: null, name: source.workflowId });
    while (this.#children.size > 0) await Promise.all(this.#children);
  }

  async #sendExecution(source: ExecutionSource, about: Pick<Actor, 'rootId' | 'parentId' | 'name'>): Promise<void> {
    const { send, signal } = this.#options;
    const actor: Actor = { ...about, sessionId: source.id, definition: source.definition };
    for (let after = 0; !source.isEnd(after); await source.waitForEventAfter(after, signal)) {
      for (let end = Number.POSITIVE_INFINITY; after < end; ) {
        const { snapshots, sequence } = await source.page(after);
        for (const step of snapshots) {
          if (after === 0) await send(actorMessage(actor, step));
          for (const message of stepMessages(actor, step)) await send(message);
          after = step.sequence;
          for (const { id, node } of childrenStarted(step)) this.#startChild(actor, id, node);
        }
        signal.throwIfAborted();
        end = snapshots.length === 0 ? after : sequence;
      }
    }
  }

  #startChild(parent: Actor, id: string, node: string): void {
    const sending = this.#sendChild(parent, id, node)
      .catch(this.#fail)
      .finally(() => this.#children.delete(sending));
    this.#children.add(sending);
  }

  async #sendChild({ sessionId, rootId }: Actor, id: string, node: string): Promise<void> {
    const { sourceOf, onMissing } = this.#options;
    try {
      await this.#sendExecution(await sourceOf(id), { rootId, parentId: sessionId, name: node });
    } catch (error) {
      // It was kept for a shorter time than its parent.
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      onMissing(id);
    }
  }
}
