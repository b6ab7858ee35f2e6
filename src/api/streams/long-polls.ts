import type { FastifyReply } from 'fastify';
import { ChurnSet } from '../../../store/churn-map.ts';
import type { TokenMonitor } from '../auth/token-monitor.ts';
import { PollSignal } from './poll-signal.ts';

/**
 * Requests that wait for something. They end when the client disconnects, the server closes, or the token becomes invalid: a token that was
 * revoked meanwhile gets nothing.
 */
export class LongPolls {
  readonly #tokenMonitor: TokenMonitor;
  readonly #open = new ChurnSet<PollSignal>();
  #closed = false;

  constructor(tokenMonitor: TokenMonitor) {
    this.#tokenMonitor = tokenMonitor;
  }

  /** Runs `wait` with a signal that is aborted when the wait must end early. */
  async run<T>(reply: FastifyReply, wait: (signal: PollSignal) => Promise<T>): Promise<T> {
    const signal = new PollSignal();
    const end = (): void => signal.abort();
    if (this.#closed) end();
    this.#open.add(signal);
    reply.raw.once('close', end);
    const watch = this.#tokenMonitor.watch(reply.request, end);
    try {
      return await wait(signal);
    } finally {
      watch.stop();
      reply.raw.off('close', end);
      this.#open.delete(signal);
    }
  }

  /** Ends all waits, and those that begin later. */
  close(): void {
    this.#closed = true;
    for (const signal of this.#open) signal.abort();
  }
}
