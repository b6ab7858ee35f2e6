import type { ControlStore } from '../../../store/port/control-store.ts';
import type { Backlog } from '../../../store/port/resources/backlog.ts';
import type { ServerRuntime } from '../../runtime/types/server-runtime.ts';
import type { TelemetryEvent } from '../catalogue.ts';
import { observe } from '../observe.ts';
import type { MetricsRegistry } from './registry.ts';

/** Rows of one kind and tenant that are counted at most. */
const MAX_COUNTED = 10_000;
/** How long what was read from the database counts, and how long a scrape waits for it. */
const BACKLOG_TTL_MS = 15_000;
const MAX_BACKLOG_WAIT_MS = 1_000;
/** Events that are kept until prom-client is loaded. */
const MAX_EARLY_EVENTS = 10_000;

/** What a scraper gets. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

export interface MetricsOptions {
  readonly runtime: Pick<ServerRuntime, 'on' | 'load' | 'corruptExecutions' | 'clockAheadMs'>;
  readonly store: Pick<ControlStore, 'backlog' | 'connections'>;
  readonly nowMs: () => number;
  readonly onError: (error: unknown) => void;
  readonly tenantLabel: boolean;
  /** Default true. */
  readonly processMetrics?: boolean;
}

/** The metrics of a server. Nothing is loaded or counted before `start`. */
export class Metrics {
  /** Counts the open event streams of the server; null = it has none. Set by the API. */
  streams: (() => number) | null = null;
  readonly #options: MetricsOptions;
  #registry: Promise<MetricsRegistry> | null = null;
  #unsubscribe: () => void = () => {};
  #backlog: { readonly value: Backlog; readonly readAtMs: number } | null = null;
  #reading: Promise<void> | null = null;
  #closed = false;

  constructor(options: MetricsOptions) {
    this.#options = options;
  }

  /** Begins to count, once: at once, although it takes a moment to load what counts. */
  start(): Promise<MetricsRegistry> {
    this.#registry ??= this.#load();
    return this.#registry;
  }

  async scrape(): Promise<MetricsText> {
    const registry = await this.start();
    const { runtime, store, nowMs } = this.#options;
    await this.#refreshBacklog();
    const { corruptExecutions, clockAheadMs } = runtime;
    const text = await registry.text({
      nowMs: nowMs(),
      load: runtime.load(),
      corruptExecutions,
      clockAheadMs,
      streams: this.streams?.() ?? null,
      connections: store.connections,
      backlog: this.#backlog?.value ?? null,
    });
    return { contentType: registry.contentType, text };
  }

  close(): void {
    this.#closed = true;
    this.#unsubscribe();
  }

  async #load(): Promise<MetricsRegistry> {
    const { runtime, tenantLabel, processMetrics = true } = this.#options;
    const early: TelemetryEvent[] = [];
    let record = (event: TelemetryEvent): void => {
      if (early.length < MAX_EARLY_EVENTS) early.push(event);
    };
    if (!this.#closed) this.#unsubscribe = observe(runtime, (event) => record(event));
    const { MetricsRegistry } = await import('./registry.ts');
    const registry = new MetricsRegistry({ tenantLabel, processMetrics });
    record = (event) => registry.record(event);
    early.forEach(record);
    return registry;
  }

  /** A scrape does not wait long for a slow database: it then gets what was read before, if that is recent enough, and else none of it. */
  async #refreshBacklog(): Promise<void> {
    const { store, nowMs, onError } = this.#options;
    const ageMs = this.#backlog === null ? Number.POSITIVE_INFINITY : nowMs() - this.#backlog.readAtMs;
    if (ageMs < BACKLOG_TTL_MS) return;
    this.#reading ??= store.backlog
      .read(MAX_COUNTED, nowMs())
      .then((value) => {
        this.#backlog = { value, readAtMs: nowMs() };
      })
      .catch((error: unknown) => {
        // Outdated numbers must not look like current ones.
        this.#backlog = null;
        onError(error);
      })
      .finally(() => {
        this.#reading = null;
      });
    await within(this.#reading, MAX_BACKLOG_WAIT_MS);
    if (this.#backlog !== null && nowMs() - this.#backlog.readAtMs > 4 * BACKLOG_TTL_MS) this.#backlog = null;
  }
}

/** Resolves with the promise, or after the time. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
