import { JamjetClient } from '../client/index.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { settingsOf, type WorkerOptions } from './options.ts';
import { ClaimingWorker, type Worker } from './worker.ts';

export type { Provider, WorkerLogEntry, WorkerOptions } from './options.ts';
export type { Worker, WorkerStatus } from './worker.ts';

/**
 * Starts an external worker: it claims the items of its tools from a server, calls the tools with the input and the same context as in process,
 * renews their leases, and reports what they return or throw. It goes on until `stop`, also when the server restarts, and keeps the process
 * alive until then. Throws a `TypeError` for an option that cannot be used.
 *
 * @example
 * const worker = createWorker({
 *   url: 'http://127.0.0.1:7700',
 *   token: process.env.JAMJET_TOKEN,
 *   tools: {
 *     async draft_quote({ sku, quantity }: { sku: string; quantity: number }, { signal, progress }) {
 *       progress('asking for the price');
 *       const reply = await fetch(`https://prices.example/${sku}`, { signal });
 *       return { total: (await reply.json()).price * quantity };
 *     },
 *   },
 *   stopOnSignals: ['SIGTERM', 'SIGINT'],
 * });
 * await worker.stopped;
 */
export function createWorker(options: WorkerOptions): Worker {
  return startWorker(options, systemClock);
}

/** `createWorker` with a clock. */
export function startWorker(options: WorkerOptions, clock: Clock): Worker {
  const settings = settingsOf(options);
  const { url, token = null, fetch } = settings;
  const client = new JamjetClient({ url, token, ...(fetch === undefined ? {} : { fetch }) });
  return new ClaimingWorker({ client, clock, random: Math.random, settings });
}
