import { TERMINAL } from '../../../machines/run.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { EventRow } from '../../../store/port/executions.ts';
import { RecentlyUsed } from '../../../store/recently-used.ts';
import { type ExecutionCommit, isBeginning } from '../../runtime/engine/commit/execution-commit.ts';
import type { EventBus } from '../../runtime/events.ts';
import type { ExecutionTrace } from '../../runtime/trace-context.ts';
import type { SpanRecording } from '../../runtime/traces.ts';
import { AttemptClock } from '../attempt-clock.ts';
import { attemptSpan, isInstant } from './attempt-span.ts';
import { executionSpan } from './execution-span.ts';
import { findBeginning, wasRetried } from './log-search.ts';
import type { SpanProvider } from './provider.ts';
import type { TracingSettings } from './settings.ts';

/** Executions whose beginning this process has seen. */
const MAX_KNOWN = 100_000;
const ENDS: ReadonlySet<string> = new Set(['node_completed', 'node_failed', 'node_cancelled']);

export interface TracingOptions {
  readonly settings: TracingSettings;
  readonly store: Pick<ExecutionStore, 'events'>;
  readonly version: string;
  readonly instanceId: string;
  /** Called, at most once a minute, when spans cannot be sent. */
  readonly onProblem: (message: string) => void;
  /** Called with errors of the database, in which the beginnings are read that this process has not seen. */
  readonly onError: (error: unknown) => void;
}

/**
 * Records one span for each attempt and each execution, when it ends, by the process that commits the end. Whatever a span contains
 * follows from the log, so an execution has one trace across processes and restarts.
 */
export class Tracing implements SpanRecording {
  readonly #provider: SpanProvider;
  readonly #store: Pick<ExecutionStore, 'events'>;
  readonly #onError: (error: unknown) => void;
  readonly #clock = new AttemptClock();
  /** By execution that this process has seen begin: has it ended before? */
  readonly #endedBefore = new RecentlyUsed<string, boolean>(MAX_KNOWN);
  readonly #searches = new Set<Promise<void>>();
  #unsubscribe: () => void = () => {};

  private constructor(provider: SpanProvider, { store, onError }: Pick<TracingOptions, 'store' | 'onError'>) {
    this.#provider = provider;
    this.#store = store;
    this.#onError = onError;
  }

  /** Loads the SDK. */
  static async create(options: TracingOptions): Promise<Tracing> {
    const { SpanProvider } = await import('./provider.ts');
    return new Tracing(await SpanProvider.create(options), options);
  }

  isSampled(trace: ExecutionTrace): boolean {
    return this.#provider.isSampled(trace);
  }

  observe(runtime: Pick<EventBus, 'on'>): void {
    this.#unsubscribe = runtime.on('committed', (commit) => this.#onCommit(commit));
  }

  /** Sends what is left, within some seconds. Call once the runtime is closed, and before the store is. */
  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#provider.close(Promise.all(this.#searches));
  }

  #onCommit(commit: ExecutionCommit): void {
    const { before, after, write } = commit;
    if (isBeginning(commit)) this.#endedBefore.set(after.id, before !== null);
    for (const event of write.events) {
      // A fork's log begins with a copy of another one's.
      if (event.nodeId === null || (before === null && event.atMs < after.identity.createdAtMs)) continue;
      if (event.type === 'node_started') this.#clock.begin(after.id, event);
      else if (ENDS.has(event.type)) this.#onEnd(commit, event);
    }
    if (!TERMINAL.has(after.run.status)) return;
    const endedBefore = this.#endedBefore.get(after.id);
    this.#endedBefore.delete(after.id);
    if (endedBefore !== undefined) this.#provider.add(executionSpan(commit, endedBefore));
    else this.#search(async () => this.#provider.add(executionSpan(commit, await wasRetried(this.#store, after.id))));
  }

  #onEnd({ after }: ExecutionCommit, event: EventRow): void {
    const { nodeId, data, type } = event;
    const begun = this.#clock.end(after.id, event);
    if (begun !== null && begun.activation === (data.activation ?? 1)) {
      this.#provider.add(attemptSpan(after, event, begun));
      return;
    }
    if (isInstant(after.loaded.kindOf(nodeId ?? '')?.type ?? '') && type !== 'node_failed') return;
    this.#search(async () => {
      const found = await findBeginning(this.#store, after.id, event);
      if (found !== null || type === 'node_failed') this.#provider.add(attemptSpan(after, event, found));
    });
  }

  #search(search: () => Promise<void>): void {
    const searching = search()
      .catch(this.#onError)
      .finally(() => this.#searches.delete(searching));
    this.#searches.add(searching);
  }
}
