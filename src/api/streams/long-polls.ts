import type { FastifyReply } from 'fastify';
import type { TokenMonitor } from '../auth/token-monitor.ts';

/**
 * Requests that wait for something to happen. They end when their client leaves, when the server closes, or when whoever asked may ask no
 * more: nothing is handed to a token that was revoked meanwhile.
 */
export class LongPolls {
  readonly #tokenMonitor: TokenMonitor;
  readonly #open = new Set<AbortController>();
  #closed = false;

  constructor(rights: TokenMonitor) {
    this.#tokenMonitor = rights;
  }

  /** Runs `wait` with a signal that ends it early. */
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

  /** Ends all of them, those yet to come included. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open) controller.abort();
  }
}
