import type { FastifyReply } from 'fastify';
import type { TokenMonitor } from '../auth/token-monitor.ts';

/**
 * Requests that wait for something. They end when the client disconnects, the server closes, or the token becomes invalid: a token that was
 * revoked meanwhile gets nothing.
 */
export class LongPolls {
  readonly #tokenMonitor: TokenMonitor;
  readonly #open = new Set<AbortController>();
  #closed = false;

  constructor(tokenMonitor: TokenMonitor) {
    this.#tokenMonitor = tokenMonitor;
  }

  /** Runs `wait` with a signal that is aborted when the wait must end early. */
  async run<T>(reply: FastifyReply, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const end = (): void => controller.abort();
    if (this.#closed) end();
    this.#open.add(controller);
    reply.raw.once('close', end);
    const watch = this.#tokenMonitor.watch(reply.request, end);
    try {
      return await wait(controller.signal);
    } finally {
      watch.stop();
      reply.raw.off('close', end);
      this.#open.delete(controller);
    }
  }

  /** Ends all waits, and those that begin later. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open) controller.abort();
  }
}
