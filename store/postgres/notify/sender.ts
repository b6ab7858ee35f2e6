import { setTimeout } from 'node:timers/promises';
import type { ExecutionWrite } from '../../port/commit.ts';
import { type Connections, closeTimeout } from '../connections.ts';
import { NOTIFY } from '../queries/commit.ts';
import { gapPayload, PendingNotifications } from './payloads.ts';

/** Between one announcement and the next: what is committed meanwhile is announced together. */
const PAUSE_MS = 2;
const RETRY_MS = 1_000;

/**
 * Tells the other processes what this one has committed: after the commit, since PostgreSQL lets only one transaction at a time notify, and that
 * one would keep the others waiting until it is on the disk. What a process that dies could not tell, the others find when they look for
 * themselves, now and then, and when they take over from it.
 */
export class NotificationSender {
  readonly #connections: Connections;
  readonly #senderId: string;
  readonly #failed: (error: Error) => void;
  #pending: PendingNotifications | null = null;
  /** What was committed, or may have been, could not be told. */
  #gap = false;
  #closing = false;
  #sending: Promise<void> | null = null;

  /** `self` names this process in what it tells. */
  constructor(connections: Connections, self: string, failed: (error: Error) => void) {
    this.#connections = connections;
    this.#senderId = self;
    this.#failed = failed;
  }

  notify(writes: readonly ExecutionWrite[]): void {
    if (writes.length === 0) return;
    this.#pending ??= new PendingNotifications();
    this.#pending.add(writes);
    this.#send();
  }

  /** Nobody knows what was committed. */
  announceGap(): void {
    this.#gap = true;
    this.#send();
  }

  /** What has been announced so far is told, if the database can be reached. */
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
        this.#failed(error instanceof Error ? error : new Error(String(error)));
        await setTimeout(RETRY_MS, undefined, { ref: false });
      }
    }
  }
}
