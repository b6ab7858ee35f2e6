import type { JamjetClient } from '../../client/index.ts';
import { ExecutionSource, type ExecutionSourceOptions } from './execution-source.ts';
import { InspectorServer, type ViewerConnection } from './inspector-server.ts';
import { Reconnector } from './reconnector.ts';
import { ViewerStream } from './viewer-stream.ts';

export interface InspectorSessionOptions {
  readonly client: JamjetClient;
  readonly executionId: string;
  /** 0 = any that is free. */
  readonly port: number;
  /** Ends when the execution has ended and a viewer has had everything. */
  readonly once: boolean;
  /** Ends the session. */
  readonly signal: AbortSignal;
  readonly observer: InspectorObserver;
}

/** What people are told meanwhile. */
export interface InspectorObserver {
  opened(port: number): void;
  /** How many there are now. */
  viewers(count: number): void;
  ended(status: string): void;
  lost(reason: string): void;
  back(): void;
  missing(executionId: string): void;
}

/** An execution shown to whoever speaks Stately's inspector protocol. */
export class Session {
  readonly #options: InspectorSessionOptions;
  readonly #stop = new AbortController();
  readonly #sources = new Map<string, Promise<ExecutionSource>>();
  readonly #sourceOptions: ExecutionSourceOptions;
  readonly #streams = new Set<Promise<void>>();

  constructor(options: InspectorSessionOptions) {
    this.#options = options;
    const { client, executionId, observer } = options;
    const { signal } = this.#stop;
    const link = new Reconnector({ client, signal, executionId, onLost: observer.lost, onRestored: observer.back });
    this.#sourceOptions = { client, reconnector: link, signal, onFailed: (error) => this.#stop.abort(error) };
  }

  /** Resolves when the signal has aborted, or with `once` when all is over. Rejects with what the server refuses. */
  async run(): Promise<void> {
    const { executionId, port, signal, observer } = this.#options;
    const onAbort = (): void => this.#stop.abort(COMPLETED);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    let server: InspectorServer | null = null;
    try {
      const source = await this.#sourceOf(executionId);
      server = await InspectorServer.listen(port, (viewer) => this.#streamTo(source, viewer));
      observer.opened(server.port);
      source.waitForEnd(this.#stop.signal).then(
        () => observer.ended(source.status),
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
      onMissing: observer.missing,
    });
    const streaming = stream
      .run(source)
      .then(() => {
        if (once) this.#stop.abort(COMPLETED);
      })
      .catch((error: unknown) => {
        // One who has gone needs nothing more.
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
    if (!this.#stop.signal.aborted) this.#options.observer.viewers(this.#viewerCount);
  }
}

/** Why a session stopped that was to. */
const COMPLETED = Symbol('done');

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
