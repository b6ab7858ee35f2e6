import type { WorkItem } from '../api/operations/work-items.ts';
import type { JamjetClient } from '../client/index.ts';
import { LiveFunctions } from '../executors/durable/live-functions.ts';
import type { ToolLogFields, ToolLogLevel } from '../executors/tool-context/tool-log.ts';
import type { Clock } from '../runtime/clock.ts';
import { Attempt } from './attempt.ts';
import type { WorkerSettings } from './options.ts';
import { backoffMs, isTransient } from './server-errors.ts';

/** How long one claim waits for an item. */
const POLL_MS = 30_000;
const MAX_CLAIM_ITEMS = 100;
/** How long tools that were aborted may take to return. */
const ABORT_GRACE_MS = 1_000;

/**
 * - `connecting`: the server has not answered yet, or not for a while: the worker tries again;
 * - `running`: claims items;
 * - `stopping`: claims no more, and lets its tools finish.
 */
export type WorkerStatus = 'connecting' | 'running' | 'stopping' | 'stopped';

/** A worker that claims and does work until it is stopped. */
export interface Worker {
  readonly id: string;
  readonly status: WorkerStatus;
  /** Items that are being worked on. */
  readonly running: number;
  /** Resolves when the server has answered for the first time; rejects as `stopped` does. */
  readonly connected: Promise<void>;
  /**
   * Resolves once the worker has stopped. Rejects with `ApiError` if it cannot go on: the token was refused, or the URL is not that of a JamJet
   * server. If nothing handles that, nor asks for `connected`, Node.js ends the process with the error.
   */
  readonly stopped: Promise<void>;
  /**
   * Claims no more items and lets tools finish, at most for `stopTimeoutMs`; then aborts their signals and hands their items to other workers.
   * Resolves when the worker has stopped; may be called again.
   */
  stop(options?: { readonly timeoutMs?: number }): Promise<void>;
}

export interface ClaimingWorkerOptions {
  readonly client: JamjetClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: WorkerSettings;
}

export class ClaimingWorker implements Worker {
  readonly stopped: Promise<void>;
  readonly #connected: Promise<void>;
  readonly #options: ClaimingWorkerOptions;
  readonly #stopping = new AbortController();
  readonly #attempts = new Set<Attempt>();
  readonly #live: LiveFunctions;
  #status: WorkerStatus = 'connecting';
  #onConnected: () => void = () => {};
  #onAttemptEnd: () => void = () => {};
  #stopTimeoutMs: number;

  constructor(options: ClaimingWorkerOptions) {
    this.#options = options;
    this.#live = new LiveFunctions(options.settings.liveFunctions, options.clock);
    this.#stopTimeoutMs = options.settings.stopTimeoutMs;
    const connected = new Promise<void>((resolve) => {
      this.#onConnected = resolve;
    });
    const run = this.#run();
    this.#connected = Promise.race([connected, run]);
    this.#connected.catch(() => {});
    // A promise of its own, so that a failure that nothing handles ends the process.
    this.stopped = run.then(() => {});
  }

  get connected(): Promise<void> {
    this.stopped.catch(() => {});
    return this.#connected;
  }

  get id(): string {
    return this.#options.settings.id;
  }

  get status(): WorkerStatus {
    return this.#status;
  }

  get running(): number {
    return this.#attempts.size;
  }

  stop({ timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (timeoutMs !== undefined) this.#stopTimeoutMs = timeoutMs;
    this.#stopping.abort(new Error('the worker is stopping'));
    return this.stopped;
  }

  async #run(): Promise<void> {
    const { settings } = this.#options;
    const { stopOnSignals, tools, queues, url } = settings;
    const onSignal = (signal: NodeJS.Signals): void => {
      this.#log('info', `received ${signal}`);
      this.stop().catch(() => {});
    };
    for (const signal of stopOnSignals) process.on(signal, onSignal);
    this.#log('info', 'worker started', { url, queues, tools: Object.keys(tools), concurrency: settings.concurrency });
    try {
      await this.#claimUntilStopped();
    } catch (error) {
      this.#log('error', 'the worker cannot go on', { err: error });
      throw error;
    } finally {
      this.#status = 'stopping';
      await this.#drain();
      this.#live.abandonAll();
      for (const signal of stopOnSignals) process.off(signal, onSignal);
      this.#status = 'stopped';
      this.#log('info', 'worker stopped');
    }
  }

  async #claimUntilStopped(): Promise<void> {
    const { client, random, settings } = this.#options;
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const free = settings.concurrency - this.#attempts.size;
      if (free <= 0) {
        await this.#attemptEnd();
        continue;
      }
      try {
        const claim = {
          worker_id: settings.id,
          queue_types: [...settings.queues],
          tools: Object.keys(settings.tools),
          max_items: Math.min(free, MAX_CLAIM_ITEMS),
          // The first claim finds out whether the server answers.
          wait_ms: this.#status === 'running' ? POLL_MS : 0,
        };
        const { work_items = [] } = await client.claimWork(claim, { signal });
        if (failures > 0) this.#log('info', 'the server answers again');
        failures = 0;
        if (this.#status === 'connecting') this.#status = 'running';
        this.#onConnected();
        for (const item of work_items) this.#begin(item);
      } catch (error) {
        if (signal.aborted) return;
        if (!isTransient(error)) throw error;
        failures += 1;
        this.#status = 'connecting';
        if (failures === 1) this.#log('warn', 'the server does not answer: trying again', { reason: (error as Error).message });
        await this.#pause(backoffMs(failures, random()));
      }
    }
  }

  #begin(item: WorkItem): void {
    const attempt = new Attempt({ live: this.#live, ...this.#options }, item);
    this.#attempts.add(attempt);
    void attempt.run().finally(() => {
      this.#attempts.delete(attempt);
      this.#onAttemptEnd();
    });
  }

  /** Resolves when an attempt ends, or the worker is stopped. */
  #attemptEnd(): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#stopping;
      const end = (): void => {
        signal.removeEventListener('abort', end);
        resolve();
      };
      signal.addEventListener('abort', end, { once: true });
      this.#onAttemptEnd = end;
    });
  }

  /** Keeps the process alive: the worker is to come back. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#stopping;
      const cancel = this.#options.clock.after(ms, end, true);
      signal.addEventListener('abort', end, { once: true });
      function end(): void {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      }
    });
  }

  /** Lets attempts end; those that do not in time are handed back. */
  async #drain(): Promise<void> {
    if (this.#attempts.size > 0) this.#log('info', 'letting tools finish', { running: this.#attempts.size });
    await this.#idleWithin(this.#stopTimeoutMs);
    if (this.#attempts.size === 0) return;
    this.#log('warn', 'tools did not finish in time: their items go to other workers', { running: this.#attempts.size });
    await Promise.all([...this.#attempts].map((attempt) => attempt.handBack()));
    await this.#idleWithin(ABORT_GRACE_MS);
  }

  #idleWithin(ms: number): Promise<void> {
    if (this.#attempts.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(ms, resolve, true);
      this.#onAttemptEnd = () => {
        if (this.#attempts.size > 0) return;
        cancel();
        resolve();
      };
    });
  }

  #log(level: ToolLogLevel, message: string, fields: ToolLogFields = {}): void {
    const { id, onLog } = this.#options.settings;
    onLog({ level, message, fields: { ...fields, worker: id } });
  }
}
