import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { KeepAlive } from '../../control/live/keep-alive.ts';
import { Slots } from '../../runtime/activities/local/slots.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { TimeSlices } from '../../runtime/scheduling/time-slices.ts';
import type { TokenMonitor } from '../auth/token-monitor.ts';

/** Bytes that are buffered for a slow client, besides the buffer of the socket. */
const BUFFER_BYTES = 16 * 1024;
/** Open streams per tenant; `Slots` limits those of all tenants. */
const STREAMS_PER_TENANT = 7_500;
/** Keep-alive intervals, fifteen seconds each, after which a client that reads nothing is disconnected. It can resume where it was. */
const MAX_STALLED_KEEP_ALIVES = 4;
/** How long clients are told to wait before they reconnect. */
const RECONNECT_MS = 2_000;

/** One message of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export interface StreamMessage {
  readonly id?: string;
  readonly event?: string;
  /** Sent as JSON on one line. */
  readonly data?: unknown;
}

/** The stream of one client. Senders wait for a slow client, so that little is buffered. */
export class EventStream extends Readable {
  #resume: (() => void) | null = null;
  #finished = false;
  #stalledKeepAlives = 0;

  constructor() {
    super({ highWaterMark: BUFFER_BYTES });
  }

  /** Resolves when the buffer has room, or the client has disconnected. */
  async send({ id, event, data }: StreamMessage): Promise<void> {
    const lines = [
      ...(id === undefined ? [] : [`id: ${id}\n`]),
      ...(event === undefined ? [] : [`event: ${event}\n`]),
      ...(data === undefined ? [] : [`data: ${JSON.stringify(data)}\n`]),
    ];
    await this.#write(`${lines.join('')}\n`);
  }

  /** Sends a comment that keeps the connection alive; disconnects a client that has read nothing for too long. */
  keepAlive(): void {
    if (this.#finished || this.readableLength > 0) {
      if (++this.#stalledKeepAlives >= MAX_STALLED_KEEP_ALIVES) this.destroy();
      return;
    }
    this.#stalledKeepAlives = 0;
    this.push(':\n\n');
  }

  sendRetryInterval(): void {
    this.push(`retry: ${RECONNECT_MS}\n\n`);
  }

  /** Ends the stream after everything that was sent. */
  finish(): void {
    if (this.#finished || this.destroyed) return;
    this.#finished = true;
    this.push(null);
  }

  override _read(): void {
    this.#continueWriting();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#continueWriting();
    done(error);
  }

  async #write(text: string): Promise<void> {
    if (this.#finished || this.destroyed || this.push(text)) return;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
  }

  #continueWriting(): void {
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
  }
}

/**
 * The open streams. They share one keep-alive timer, and end at once when the server closes. The number of streams and the time for
 * writing events are shared fairly among tenants: one event may have to be written to thousands of streams.
 */
export class EventStreams {
  readonly #keepAlive: KeepAlive;
  readonly #tokenMonitor: TokenMonitor;
  readonly #open = new Set<AbortController>();
  readonly #slots = new Slots<never>(STREAMS_PER_TENANT);
  readonly #slices: TimeSlices;
  #opened = 0;
  #closed = false;

  constructor(keepAlive: KeepAlive, tokenMonitor: TokenMonitor, slices: TimeSlices) {
    this.#keepAlive = keepAlive;
    this.#tokenMonitor = tokenMonitor;
    this.#slices = slices;
  }

  /** How many are open. */
  get count(): number {
    return this.#open.size;
  }

  /** Returns a function for one stream of a tenant, which resolves when it is its turn to read or to write an event. */
  turns(tenantId: string): () => Promise<void> {
    const slice = this.#slices.slice(tenantId);
    return async () => {
      await slice.next();
    };
  }

  /**
   * Replies with the messages that `produce` sends, until it resolves. The signal is aborted when the client disconnects, its token becomes
   * invalid, or the server closes. Throws `overloaded` if the tenant has too many streams.
   */
  async open(
    request: FastifyRequest,
    reply: FastifyReply,
    produce: (stream: EventStream, signal: AbortSignal) => Promise<void>,
  ): Promise<FastifyReply> {
    const { identity } = request;
    if (identity === null) throw new Error(`internal error: stream ${request.url} has no identity`);
    const { tenantId } = identity;
    const name = String(++this.#opened);
    if (!this.#slots.take(tenantId, name)) {
      const message = `${this.#slots.runningOf(tenantId)} event streams of tenant ${tenantId} are open`;
      throw new RuntimeError('overloaded', message, { retryAfterMs: RECONNECT_MS });
    }
    const controller = new AbortController();
    const stream = new EventStream();
    const watch = this.#tokenMonitor.watch(request, () => controller.abort());
    const stopKeepAlive = this.#keepAlive.subscribe(() => {
      stream.keepAlive();
      watch.check();
    });
    stream.once('close', () => {
      stopKeepAlive();
      watch.stop();
      this.#slots.free(tenantId, name);
      this.#open.delete(controller);
      controller.abort();
    });
    this.#open.add(controller);
    if (this.#closed) controller.abort();
    stream.sendRetryInterval();
    produce(stream, controller.signal).then(
      () => stream.finish(),
      (error: Error) => (controller.signal.aborted ? stream.finish() : stream.destroy(error)),
    );
    void reply.headers({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // Stops proxies from buffering events.
      'x-accel-buffering': 'no',
    });
    return reply.send(stream);
  }

  /** Ends all streams, and those that are opened later. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open) controller.abort();
  }
}
