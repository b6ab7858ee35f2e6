import type {
  AppendedToThread,
  AppendToThread,
  DeletedThread,
  Thread,
  ThreadList,
  ThreadMessages,
} from '../api/operations/threads.ts';
import { type CallOptions, pathSegment, type Transport } from './transport.ts';

/** The threads of the token's tenant: conversations that agents and models read and continue. */
export class ThreadClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Lists threads, the last changed first. */
  list(options: CallOptions & { readonly limit?: number; readonly cursor?: string } = {}): Promise<ThreadList> {
    const { limit, cursor, ...call } = options;
    return this.#transport.call('GET', '/threads', { ...call, query: { limit, cursor } });
  }

  /** Rejects with 404 if the thread does not exist. */
  get(id: string, options?: CallOptions): Promise<Thread> {
    return this.#transport.call('GET', `/threads/${pathSegment(id)}`, options);
  }

  /** Lists messages, the oldest first unless `order` is `desc`. Rejects with 404 if the thread does not exist. */
  messages(
    id: string,
    options: CallOptions & { readonly limit?: number; readonly order?: 'asc' | 'desc'; readonly cursor?: number } = {},
  ): Promise<ThreadMessages> {
    const { limit, order, cursor, ...call } = options;
    return this.#transport.call('GET', `/threads/${pathSegment(id)}/messages`, { ...call, query: { limit, order, cursor } });
  }

  /** Appends messages in order, 100 at most, all or none. The thread is created if needed. */
  append(id: string, messages: AppendToThread['messages'], options?: CallOptions): Promise<AppendedToThread> {
    return this.#transport.call('POST', `/threads/${pathSegment(id)}/messages`, { ...options, body: { messages } });
  }

  /** Deletes a thread with its messages and its summary. Rejects with 404 if it does not exist. */
  delete(id: string, options?: CallOptions): Promise<DeletedThread> {
    return this.#transport.call('DELETE', `/threads/${pathSegment(id)}`, options);
  }
}
