import { ApiError } from '../../client/index.ts';
import type { ExecutionSource } from './execution-source.ts';
import { type Actor, actorMessage, childrenStarted, type InspectionMessage, stepMessages } from './protocol.ts';

export interface ViewerStreamOptions {
  /** Returns the same source for the same execution. */
  readonly sourceOf: (executionId: string) => Promise<ExecutionSource>;
  /** Resolves when the viewer can receive more. */
  readonly send: (message: InspectionMessage) => Promise<void>;
  /** Aborted when the connection of the viewer is closed. */
  readonly signal: AbortSignal;
  /** Called for a child execution that no longer exists. */
  readonly onMissing: (executionId: string) => void;
}

/**
 * Streams an execution and its child executions to one viewer, from the start until all have ended. Reads at the viewer's pace and buffers
 * one page of snapshots per execution.
 */
export class ViewerStream {
  readonly #options: ViewerStreamOptions;
  readonly #children = new Set<Promise<void>>();
  #fail: (error: unknown) => void = () => undefined;

  constructor(options: ViewerStreamOptions) {
    this.#options = options;
  }

  /** Resolves when everything has been sent and all executions have ended. Rejects on any error before that. */
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
      // The child was removed by retention before its parent.
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      onMissing(id);
    }
  }
}
