import type { JamjetClient } from '../../client/index.ts';
import { Reconnector } from '../connection/reconnector.ts';
import { aborted } from '../context.ts';
import { ExecutionSource, type ExecutionSourceOptions } from './execution-source.ts';
import { InspectorServer, type ViewerConnection } from './inspector-server.ts';
import { ViewerStream } from './viewer-stream.ts';

export interface InspectorSessionOptions {
  readonly client: JamjetClient;
  readonly executionId: string;
  /** 0 = any free port. */
  readonly port: number;
  /** End when the execution has ended and a viewer has received all of it. */
  readonly once: boolean;
  /** Ends the session. */
  readonly signal: AbortSignal;
  readonly observer: InspectorObserver;
}

/** Callbacks for messages to the user. */
export interface InspectorObserver {
  onListening(port: number): void;
  /** The current number of viewers. */
  onViewerCount(count: number): void;
  onEnded(status: string): void;
  onLost(reason: string): void;
  onRestored(): void;
  onMissing(executionId: string): void;
}

/** Serves an execution to viewers that speak the Stately inspector protocol. */
export class InspectorSession {
  readonly #options: InspectorSessionOptions;
  readonly #stop = new AbortController();
  readonly #sources = new Map<string, Promise<ExecutionSource>>();
  readonly #sourceOptions: ExecutionSourceOptions;
  readonly #streams = new Set<Promise<void>>();

  constructor(options: InspectorSessionOptions) {
    this.#options = options;
    const { client, executionId, observer } = options;
    const { signal } = this.#stop;
    const reconnector = new Reconnector({
      client,
      signal,
      executionId,
      onLost: observer.onLost,
      onRestored: observer.onRestored,
    });
    this.#sourceOptions = { client, reconnector, signal, onFailed: (error) => this.#stop.abort(error) };
  }

  /** Resolves when the signal is aborted or, with `once`, when a viewer has received everything. Rejects with errors of the server. */
  async run(): Promise<void> {
    const { executionId, port, signal, observer } = this.#options;
    const onAbort = (): void => this.#stop.abort(COMPLETED);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    let server: InspectorServer | null = null;
    try {
      const source = await this.#sourceOf(executionId);
      server = await InspectorServer.listen(port, (viewer) => this.#streamTo(source, viewer));
      observer.onListening(server.port);
      source.waitForEnd(this.#stop.signal).then(
        () => observer.onEnded(source.status),
        () => undefined,
      );
      await aborted(this.#stop.signal);
    } catch (error) {
      this.#stop.abort(error);
    } finally {
      signal.removeEventListener('abort', onAbort);
      await server?.close();
      await Promise.all(this.#streams);
    }
    if (this.#stop.signal.reason !== COMPLETED) throw this.#stop.signal.reason;
  }

  #sourceOf(executionId: string): Promise<ExecutionSource> {
    const known = this.#sources.get(executionId);
    if (known !== undefined) return known;
    const opening = ExecutionSource.open(this.#sourceOptions, executionId);
    this.#sources.set(executionId, opening);
    return opening;
  }

  #streamTo(source: ExecutionSource, viewer: ViewerConnection): void {
    const { once, observer } = this.#options;
    const signal = AbortSignal.any([viewer.closed, this.#stop.signal]);
    const stream = new ViewerStream({
      signal,
      sourceOf: (id) => this.#sourceOf(id),
      send: (message) => viewer.send(message),
      onMissing: observer.onMissing,
    });
    const streaming = stream
      .run(source)
      .then(() => {
        if (once) this.#stop.abort(COMPLETED);
      })
      .catch((error: unknown) => {
        // Errors after the viewer has disconnected are expected.
        if (!signal.aborted) this.#stop.abort(error);
      })
      .finally(() => {
        this.#streams.delete(streaming);
      });
    this.#streams.add(streaming);
    this.#changeViewerCount(1);
    viewer.closed.addEventListener('abort', () => this.#changeViewerCount(-1), { once: true });
  }

  #viewerCount = 0;

  #changeViewerCount(change: 1 | -1): void {
    this.#viewerCount += change;
    if (!this.#stop.signal.aborted) this.#options.observer.onViewerCount(this.#viewerCount);
  }
}

/** Abort reason of a session that ends normally. */
const COMPLETED = Symbol('done');
