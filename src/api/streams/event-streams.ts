import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { KeepAlive } from '../../control/live/keep-alive.ts';
import { Slots } from '../../runtime/activities/local/slots.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { TimeSlices } from '../../runtime/scheduling/time-slices.ts';
import type { TokenMonitor } from '../auth/token-monitor.ts';

/** Bytes made ahead of a reader; the socket has its own buffer. */
const BUFFER_BYTES = 16 * 1024;
/** Of one tenant; `Slots` says how many of all tenants. */
const STREAMS_PER_TENANT = 7_500;
/** Beats of the pulse, fifteen seconds each, after which a reader that takes nothing is cut off; it may resume where it was. */
const MAX_STALLED_KEEP_ALIVES = 4;
/** How long a client waits before it connects again, as it is told. */
const RECONNECT_MS = 2_000;

/** One message of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export interface StreamMessage {
  readonly id?: string;
  readonly event?: string;
  /** Sent as JSON, which is one line. */
  readonly data?: unknown;
}

/** What goes to one client. It holds little of what the client has not taken: whoever sends waits. */
export class EventStream extends Readable {
  #resume: (() => void) | null = null;
  #finished = false;
  #stalledKeepAlives = 0;

  constructor() {
    super({ highWaterMark: BUFFER_BYTES });
  }

  /** Resolves when there is room for more, or the client has gone. */
  async send({ id, event, data }: StreamMessage): Promise<void> {
    const lines = [
      ...(id === undefined ? [] : [`id: ${id}\n`]),
      ...(event === undefined ? [] : [`event: ${event}\n`]),
      ...(data === undefined ? [] : [`data: ${JSON.stringify(data)}\n`]),
    ];
    await this.#write(`${lines.join('')}\n`);
  }

  /** Shows proxies and clients that the connection lives; gives up on a reader that has long taken nothing. */
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

  /** No more; what was sent still arrives. */
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
 * The streams that are open. They have no timer of their own; the server's closing ends them at once. Tenants share what may be open, and
 * the time in which events are written: one event may have to be written to thousands of streams.
 */
export class EventStreams {
  readonly #pulse: KeepAlive;
  readonly #tokenMonitor: TokenMonitor;
  readonly #open = new Set<AbortController>();
  readonly #slots = new Slots<never>(STREAMS_PER_TENANT);
  readonly #slices: TimeSlices;
  #opened = 0;
  #closed = false;

  constructor(pulse: KeepAlive, rights: TokenMonitor, nowMs: () => number) {
    this.#pulse = pulse;
    this.#tokenMonitor = rights;
    this.#slices = new TimeSlices({ nowMs });
  }

  /** For one stream of a tenant: resolves when it is its turn to read, or to write an event. */
  turns(tenantId: string): () => Promise<void> {
    const slice = this.#slices.slice(tenantId);
    return async () => {
      await slice.next();
    };
  }

  /**
   * Answers with what `produce` sends, until that resolves, the client leaves, its token loses its right, or the server closes: the last
   * three abort the signal. Throws `overloaded` when the tenant has too many.
   */
  async open(
    request: FastifyRequest,
    reply: FastifyReply,
    produce: (stream: EventStream, signal: AbortSignal) => Promise<void>,
  ): Promise<FastifyReply> {
    const { identity } = request;
    if (identity === null) throw new Error(`stream ${request.url} is open and has no identity`);
    const { tenantId } = identity;
    const name = String(++this.#opened);
    if (!this.#slots.take(tenantId, name)) {
      const message = `${this.#slots.runningOf(tenantId)} event streams of tenant ${tenantId} are open`;
      throw new RuntimeError('overloaded', message, { retryAfterMs: RECONNECT_MS });
    }
    const controller = new AbortController();
    const stream = new EventStream();
    const watch = this.#tokenMonitor.watch(request, () => controller.abort());
    const stopKeepAlive = this.#pulse.subscribe(() => {
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
      // Proxies would keep events to themselves until there are many.
      'x-accel-buffering': 'no',
    });
    return reply.send(stream);
  }

  /** Ends all of them, those yet to come included. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open) controller.abort();
  }
}
