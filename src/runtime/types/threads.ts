import type { ThreadMessage, ThreadMessageView } from '../../executors/threads/message.ts';
import type { Caller } from './caller.ts';

export type { ThreadMessage, ThreadMessageView } from '../../executors/threads/message.ts';

/** A thread without its messages. */
export interface ThreadView {
  readonly id: string;
  /** How many it has. */
  readonly messages: number;
  /** Size of its messages and its summary. */
  readonly bytes: number;
  /** Sequence of the last message. */
  readonly lastSequence: number;
  /** What a model has said of the messages up to `summarisedSequence`; null = there is no summary. */
  readonly summary: string | null;
  /** Sequence of the last message that the summary stands for; 0 = none. */
  readonly summarisedSequence: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** Which threads of a tenant are read. */
export interface ThreadsPageRequest {
  /** Default 100. */
  readonly limit?: number;
  /** `next` of the page before; default: the first page. */
  readonly cursor?: string | null;
}

/** Threads of a tenant. */
export interface ThreadsPage {
  readonly threads: readonly ThreadView[];
  /** `cursor` of the next page; null if this is the last one. */
  readonly next: string | null;
}

/** Which messages of a thread are read. */
export interface ThreadMessagesPageRequest {
  /** Default 100. */
  readonly limit?: number;
  /** `asc`: the oldest first, which is the default. */
  readonly order?: 'asc' | 'desc';
  /** Sequence of the last message of the page before; default: the first page. */
  readonly cursor?: number | null;
}

/** Messages of a thread. */
export interface ThreadMessagesPage {
  readonly messages: readonly ThreadMessageView[];
  /** `cursor` of the next page; null if this is the last one. */
  readonly next: number | null;
}

/** Messages that were appended to a thread. */
export interface AppendedToThread {
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** How many the thread has now. */
  readonly messages: number;
}

/** Conversations of the tenant, which agents and models read and continue. Methods reject with `bad_request` for ids and messages that cannot be stored. */
export interface RuntimeThreads {
  /** The last changed first. */
  list(tenantId: string, page?: ThreadsPageRequest): Promise<ThreadsPage>;
  /** Rejects with `not_found`. */
  get(tenantId: string, id: string): Promise<ThreadView>;
  /** A page ends early when its messages have 4 MiB. Rejects with `not_found`. */
  messages(tenantId: string, id: string, page?: ThreadMessagesPageRequest): Promise<ThreadMessagesPage>;
  /**
   * Appends up to 100 messages, all or none, to a thread that is created if needed. Rejects with `limit_exceeded_thread`, `limit_exceeded_storage` and
   * `tenant_not_active`.
   */
  append(caller: Caller, id: string, messages: readonly ThreadMessage[]): Promise<AppendedToThread>;
  /** Deletes the thread with its messages and its summary. Resolves to how many messages it had; rejects with `not_found`. */
  remove(caller: Caller, id: string): Promise<number>;
}
