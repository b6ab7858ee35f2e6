import type { JamjetClient } from '../../client.ts';
import { Door, type Viewer } from './door.ts';
import { Feed } from './feed.ts';
import { Link } from './link.ts';
import { Source, type SourceOptions } from './source.ts';

export interface SessionOptions {
  readonly client: JamjetClient;
  readonly executionId: string;
  /** 0 = any that is free. */
  readonly port: number;
  /** Ends when the execution has ended and a viewer has had everything. */
  readonly once: boolean;
  /** Ends the session. */
  readonly signal: AbortSignal;
  readonly told: Told;
}

/** What people are told meanwhile. */
export interface Told {
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
  readonly #options: SessionOptions;
  readonly #stop = new AbortController();
  readonly #sources = new Map<string, Promise<Source>>();
  readonly #following: SourceOptions;
  readonly #feeds = new Set<Promise<void>>();

  constructor(options: SessionOptions) {
    this.#options = options;
    const { client, executionId, told } = options;
    const { signal } = this.#stop;
    const link = new Link({ client, signal, executionId, lost: told.lost, back: told.back });
    this.#following = { client, link, signal, failed: (error) => this.#stop.abort(error) };
  }

  /** Resolves when the signal has aborted, or with `once` when all is over. Rejects with what the server refuses. */
  async run(): Promise<void> {
    const { executionId, port, signal, told } = this.#options;
    const interrupted = (): void => this.#stop.abort(DONE);
    signal.addEventListener('abort', interrupted, { once: true });
    if (signal.aborted) interrupted();
    let door: Door | null = null;
    try {
      const source = await this.#sourceOf(executionId);
      door = await Door.open(port, (viewer) => this.#show(source, viewer));
      told.opened(door.port);
      source.ended(this.#stop.signal).then(
        () => told.ended(source.status),
        () => undefined,
      );
      await stopped(this.#stop.signal);
    } catch (error) {
      this.#stop.abort(error);
    } finally {
      signal.removeEventListener('abort', interrupted);
      await door?.close();
      await Promise.all(this.#feeds);
    }
    if (this.#stop.signal.reason !== DONE) throw this.#stop.signal.reason;
  }

  #sourceOf(executionId: string): Promise<Source> {
    const known = this.#sources.get(executionId);
    if (known !== undefined) return known;
    const opening = Source.open(this.#following, executionId);
    this.#sources.set(executionId, opening);
    return opening;
  }

  #show(source: Source, viewer: Viewer): void {
    const { once, told } = this.#options;
    const signal = AbortSignal.any([viewer.gone, this.#stop.signal]);
    const feed = new Feed({
      signal,
      sourceOf: (id) => this.#sourceOf(id),
      send: (message) => viewer.send(message),
      missing: told.missing,
    });
    const feeding = feed
      .run(source)
      .then(() => {
        if (once) this.#stop.abort(DONE);
      })
      .catch((error: unknown) => {
        // One who has gone needs nothing more.
        if (!signal.aborted) this.#stop.abort(error);
      })
      .finally(() => {
        this.#feeds.delete(feeding);
      });
    this.#feeds.add(feeding);
    this.#count(1);
    viewer.gone.addEventListener('abort', () => this.#count(-1), { once: true });
  }

  #viewers = 0;

  #count(change: 1 | -1): void {
    this.#viewers += change;
    if (!this.#stop.signal.aborted) this.#options.told.viewers(this.#viewers);
  }
}

/** Why a session stopped that was to. */
const DONE = Symbol('done');

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
