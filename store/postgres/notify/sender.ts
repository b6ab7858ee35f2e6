import { setTimeout } from 'node:timers/promises';
import { type Connections, closeTimeout } from '../connections.ts';
import { NOTIFY } from '../queries/commit.ts';
import { gapPayload, type NotifiedWrite, PendingNotifications } from './payloads.ts';

/** Pause between two notifications: what is committed meanwhile is sent together. */
const PAUSE_MS = 2;
const RETRY_MS = 1_000;

/**
 * Notifies other processes of this one's commits. Sends after the commit, because PostgreSQL lets only one transaction at a time notify, which would
 * keep the others waiting until it is on disk. If the process dies before it has sent, others find its commits when they read again, from time to
 * time and when they take over from it.
 */
export class NotificationSender {
  readonly #connections: Connections;
  readonly #senderId: string;
  readonly #onError: (error: Error) => void;
  #pending: PendingNotifications | null = null;
  /** Notifications of commits, or of possible commits, were lost. */
  #gap = false;
  #closing = false;
  #sending: Promise<void> | null = null;

  /** `senderId` identifies this process in its notifications. */
  constructor(connections: Connections, self: string, onError: (error: Error) => void) {
    this.#connections = connections;
    this.#senderId = self;
    this.#onError = onError;
  }

  notify(writes: readonly NotifiedWrite[]): void {
    if (writes.length === 0) return;
    this.#pending ??= new PendingNotifications();
    this.#pending.add(writes);
    this.#send();
  }

  /** Tells other processes that commits may have gone unreported. */
  notifyGap(): void {
    this.#gap = true;
    this.#send();
  }

  /** Sends what is pending, if the database can be reached. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.race([this.#sending, closeTimeout()]);
  }

  #send(): void {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#pending !== null || this.#gap) {
      const payloads = [...(this.#pending?.payloads(this.#senderId) ?? []), ...(this.#gap ? [gapPayload(this.#senderId)] : [])];
      this.#pending = null;
      this.#gap = false;
      try {
        await this.#connections.query(NOTIFY, [JSON.stringify(payloads)]);
        await setTimeout(PAUSE_MS);
      } catch (error) {
        if (this.#closing) return;
        this.#gap = true;
        this.#onError(error instanceof Error ? error : new Error(String(error)));
        await setTimeout(RETRY_MS, undefined, { ref: false });
      }
    }
  }
}
