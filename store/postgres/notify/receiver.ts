import type { Client } from 'pg';
import type { StoreNotification } from '../../port/notifications.ts';
import { type Connections, disconnect } from '../connections.ts';
import type { PostgresMessages } from './messages.ts';
import { GAP, parsePayload } from './payloads.ts';

const CHANNEL = 'jamjet';
const RECONNECT_MS = 1_000;
/** A notification can be lost unnoticed, for example in a proxy, so subscribers are asked to read again from time to time. */
const RESYNC_MS = 30_000;

/** Receives notifications of what other processes commit, on a separate connection; reconnects when it breaks. */
export class NotificationReceiver {
  readonly #connections: Connections;
  readonly #senderId: string;
  readonly #onError: (error: Error) => void;
  readonly #onGap: () => void;
  readonly #messages: PostgresMessages;
  readonly #subscribers = new Set<(notification: StoreNotification) => void>();
  #client: Client | null = null;
  #timer: NodeJS.Timeout | undefined;
  #resyncTimer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `onGap` is called whenever notifications may have been lost. `messages` come over the same connection. */
  constructor(
    connections: Connections,
    self: string,
    onError: (error: Error) => void,
    onGap: () => void,
    messages: PostgresMessages,
  ) {
    this.#connections = connections;
    this.#senderId = self;
    this.#onError = onError;
    this.#onGap = onGap;
    this.#messages = messages;
  }

  subscribe(subscriber: (notification: StoreNotification) => void): () => void {
    this.#subscribers.add(subscriber);
    if (this.#subscribers.size === 1) {
      void this.#listen();
      this.#resyncTimer = setInterval(() => this.#resync(), RESYNC_MS);
      this.#resyncTimer.unref();
    }
    return () => this.#subscribers.delete(subscriber);
  }

  /** Reports that commits of this process are gone. Other processes detect their own losses. */
  reportLostCommits(): void {
    this.#publish({ ...GAP, commitsLost: true });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#resyncTimer);
    this.#subscribers.clear();
    if (this.#client !== null) await disconnect(this.#client);
  }

  async #listen(): Promise<void> {
    if (this.#closed) return;
    let made: Client | null = null;
    try {
      const client = await this.#connections.dedicatedForListening();
      made = client;
      this.#client = client;
      client.on('notification', ({ channel, payload }) => {
        if (payload === undefined) return;
        if (channel === CHANNEL) this.#receive(payload);
        else this.#messages.deliver(payload);
      });
      client.once('error', (error: Error) => this.#reconnect(client, error));
      client.once('end', () => this.#reconnect(client, null));
      for (const channel of [CHANNEL, ...this.#messages.channels]) await client.query(`LISTEN "${channel}"`);
      if (this.#closed) await disconnect(client);
      else this.#resync();
    } catch (error) {
      this.#reconnect(this.#client, error instanceof Error ? error : new Error(String(error)));
      // A standby accepts connections but rejects LISTEN: each attempt would leave a connection behind.
      if (made !== null) await disconnect(made);
    }
  }

  #reconnect(client: Client | null, error: Error | null): void {
    if (this.#closed || (client !== null && client !== this.#client)) return;
    this.#client = null;
    if (error !== null) this.#onError(error);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#listen(), RECONNECT_MS);
  }

  #receive(text: string): void {
    const notification = parsePayload(text, this.#senderId);
    if (notification !== null) this.#publish(notification);
  }

  #resync(): void {
    this.#onGap();
    this.#publish(GAP);
  }

  #publish(notification: StoreNotification): void {
    for (const subscriber of this.#subscribers) subscriber(notification);
  }
}
