import type { ActionContext } from '../control.ts';

export interface ThreadRow {
  /** Never used again, also when a thread of the same id is created anew. */
  readonly number: number;
  readonly id: string;
  /** How many it has. */
  readonly messages: number;
  /** Of its messages and its summary. */
  readonly bytes: number;
  /** Sequence of the last message. */
  readonly last: number;
  /** What the messages up to `summarised` say; null = there is no summary. */
  readonly summary: string | null;
  /** Sequence of the last message that the summary stands for; 0 = none. */
  readonly summarised: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** The work that has appended a message. */
export interface ThreadMessageOrigin {
  readonly executionId: string;
  readonly nodeId: string;
  readonly activation: number;
}

export interface ThreadMessageRow {
  /** 1, 2, 3 … within its thread. */
  readonly sequence: number;
  /** JSON object text. */
  readonly message: string;
  /** Null: it was added by a request. */
  readonly executionId: string | null;
  readonly nodeId: string | null;
  readonly activation: number | null;
  readonly createdAtMs: number;
}

/** What a thread may hold. */
export interface ThreadLimits {
  readonly messages: number;
  /** Of its messages and its summary. */
  readonly bytes: number;
}

export interface ThreadAppend {
  readonly id: string;
  /** JSON object texts, in order. */
  readonly messages: readonly string[];
  readonly limits: ThreadLimits;
  /** Fields for the event beside the thread and the sequences of its messages. */
  readonly origin: Readonly<Record<string, string>>;
}

export type ThreadAppendResult =
  | { readonly first: number; readonly last: number; readonly messages: number }
  /** Nothing was stored. */
  | { readonly exceeded: keyof ThreadLimits };

/** A thread as a turn has read it: it must be that still when the turn is committed. */
type ThreadVersion = Pick<ThreadRow, 'number' | 'last'>;

/** What the turn of a node appends to a thread, in the commit of the node's completion. */
export interface ThreadTurn {
  readonly id: string;
  /** Null = there was none. */
  readonly read: ThreadVersion | null;
  readonly nodeId: string;
  readonly activation: number;
  /** JSON object texts, in order. */
  readonly messages: readonly string[];
}

export interface ThreadsPage {
  /** The last one of the page before; null for the first page. */
  readonly before: { readonly updatedAtMs: number; readonly number: number } | null;
  readonly limit: number;
}

export interface ThreadMessagesPage {
  readonly order: 'asc' | 'desc';
  /** Sequence of the last message of the page before; null for the first page. */
  readonly cursor: number | null;
  readonly limit: number;
}

/** A thread with some of its messages. */
export interface ThreadMessages {
  readonly thread: ThreadRow;
  readonly messages: readonly ThreadMessageRow[];
  /** `cursor` of the next page; null if this is the last one. */
  readonly next: number | null;
}

export interface ThreadSummary {
  readonly id: string;
  /** The thread of which it is a summary. */
  readonly number: number;
  readonly summary: string;
  /** Sequence of the last message that it stands for. */
  readonly summarised: number;
  /** What it was before. */
  readonly summarisedBefore: number;
}

/** Conversations of a tenant, by id: messages in order, appended by turns of nodes and by requests. */
export interface ThreadStore {
  /** The last changed first. */
  list(tenantId: string, page: ThreadsPage): Promise<readonly ThreadRow[]>;
  get(tenantId: string, id: string): Promise<ThreadRow | null>;
  /** Null = there is no such thread. A page ends early when its messages have 4 MiB. */
  messages(tenantId: string, id: string, page: ThreadMessagesPage): Promise<ThreadMessages | null>;
  /** Appends to the thread of the context's tenant, which it creates if needed. Logged as `thread_appended`. */
  append(append: ThreadAppend, context: ActionContext): Promise<ThreadAppendResult>;
  /**
   * Removes as many of the messages as one transaction should write, the oldest first; the thread with the last of them. Resolves to how many it was,
   * null = there is no such thread. Logged as `thread_deleted`.
   */
  remove(id: string, context: ActionContext): Promise<{ readonly messages: number; readonly isGone: boolean } | null>;
  /** False: the thread has changed its summary meanwhile, or is gone. */
  summarise(tenantId: string, summary: ThreadSummary): Promise<boolean>;
}
