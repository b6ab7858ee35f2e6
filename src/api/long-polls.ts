import type { FastifyReply } from 'fastify';

/** Requests that wait for something to happen. They end when their client leaves, or when the server closes. */
export class LongPolls {
  readonly #open = new Set<AbortController>();
  #closed = false;

  /** Runs `wait` with a signal that ends it early. */
  async during<T>(reply: FastifyReply, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const end = (): void => controller.abort();
    if (this.#closed) end();
    this.#open.add(controller);
    reply.raw.once('close', end);
    try {
      return await wait(controller.signal);
    } finally {
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
