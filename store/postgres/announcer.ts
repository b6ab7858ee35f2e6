import { setTimeout } from 'node:timers/promises';
import type { ExecutionWrite } from '../writes.ts';
import { type Connections, silence } from './connections.ts';
import { gapPayload, News } from './notices.ts';
import { NOTIFY } from './queries/commit.ts';

/** Between one announcement and the next: what is committed meanwhile is announced together. */
const PAUSE_MS = 2;
const RETRY_MS = 1_000;

/**
 * Tells the other processes what this one has committed: after the commit, since PostgreSQL lets only one transaction at a time notify, and that
 * one would keep the others waiting until it is on the disk. What a process that dies could not tell, the others find when they look for
 * themselves, now and then, and when they take over from it.
 */
export class Announcer {
  readonly #connections: Connections;
  readonly #self: string;
  readonly #failed: (error: Error) => void;
  #news: News | null = null;
  /** What was committed, or may have been, could not be told. */
  #gap = false;
  #closing = false;
  #sending: Promise<void> | null = null;

  /** `self` names this process in what it tells. */
  constructor(connections: Connections, self: string, failed: (error: Error) => void) {
    this.#connections = connections;
    this.#self = self;
    this.#failed = failed;
  }

  announce(writes: readonly ExecutionWrite[]): void {
    if (writes.length === 0) return;
    this.#news ??= new News();
    this.#news.add(writes);
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
    await Promise.race([this.#sending, silence()]);
  }

  #send(): void {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#news !== null || this.#gap) {
      const told = [...(this.#news?.payloads(this.#self) ?? []), ...(this.#gap ? [gapPayload(this.#self)] : [])];
      this.#news = null;
      this.#gap = false;
      try {
        await this.#connections.query(NOTIFY, [JSON.stringify(told)]);
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
