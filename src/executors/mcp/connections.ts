import { Credentials } from '../credentials.ts';
import { WorkError } from '../executor.ts';
import { Outbound } from '../outbound/index.ts';
import { McpConnection } from './connection.ts';
import { type Endpoint, endpointOf, type KnownServers, type McpServers, withBearer, withCredential } from './endpoint.ts';
import { abortFailure } from './failure.ts';

/** How long an unused connection is kept. */
const IDLE_MS = 60_000;

export interface McpConnectionsOptions {
  /** The servers of the operator, by tenant. */
  readonly serversOf: (tenantId: string) => McpServers;
  /** For servers that documents name. */
  readonly outbound: Outbound;
  readonly idleMs?: number;
}

/** A server that a workflow of a tenant calls. */
export interface ServerCall extends Omit<KnownServers, 'provided'> {
  readonly tenantId: string;
  readonly server: string;
  readonly signal: AbortSignal;
  /** Sent in place of the credentials of the server. */
  readonly accessToken?: string;
}

interface Entry {
  readonly connection: Promise<McpConnection>;
  users: number;
  /** Whether requests have succeeded on it before. */
  isProven: boolean;
  idle: NodeJS.Timeout | null;
}

/** Connections to MCP servers: one for each tenant and server, kept while they are in use and for a while after. */
export class McpConnections {
  readonly #serversOf: (tenantId: string) => McpServers;
  readonly #outbound: Outbound;
  /** The operator's servers may be in private networks. */
  readonly #trusted = new Outbound({ allowPrivateAddresses: true });
  readonly #credentials: Credentials;
  readonly #idleMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #open = new Set<Promise<McpConnection>>();
  readonly #stopped = new AbortController();

  constructor({ serversOf, outbound, idleMs = IDLE_MS }: McpConnectionsOptions) {
    this.#serversOf = serversOf;
    this.#outbound = outbound;
    this.#credentials = new Credentials(outbound, Date.now);
    this.#idleMs = idleMs;
  }

  /**
   * Calls `use` with a connection to the server. Rejects with `WorkError`. A server that has forgotten an older session refuses its
   * requests (400 or 404) without acting on them: then `use` is called again, on a new connection.
   */
  async use<T>(call: ServerCall, use: (connection: McpConnection) => Promise<T>): Promise<T> {
    const endpoint = await this.#endpointOf(call);
    const key = JSON.stringify([call.tenantId, endpoint]);
    const entry = this.#entries.get(key) ?? this.#connect(key, call.server, endpoint);
    try {
      return await this.#with(key, entry, call, use);
    } catch (error) {
      const status = error instanceof WorkError ? error.httpStatus : null;
      if (!entry.isProven || (status !== 404 && status !== 400)) throw error;
    }
    this.#retire(key, entry);
    return this.#with(key, this.#entries.get(key) ?? this.#connect(key, call.server, endpoint), call, use);
  }

  async #endpointOf(call: ServerCall): Promise<Endpoint> {
    const { server, tenantId, vars, accessToken, signal } = call;
    const endpoint = endpointOf(server, { ...call, provided: this.#serversOf(tenantId) });
    if (accessToken !== undefined) return withBearer(endpoint, accessToken);
    if (endpoint.kind === 'command' || endpoint.auth === undefined) return endpoint;
    return withCredential(endpoint, await this.#credentials.of(`MCP server "${server}"`, endpoint.auth, vars, signal));
  }

  async #with<T>(key: string, entry: Entry, call: ServerCall, use: (connection: McpConnection) => Promise<T>): Promise<T> {
    entry.users += 1;
    if (entry.idle !== null) clearTimeout(entry.idle);
    try {
      const result = await use(await unlessAborted(entry.connection, call));
      entry.isProven = true;
      return result;
    } catch (error) {
      // A server that did not reply may be stuck: later calls get a new connection.
      if (error instanceof WorkError && error.errorClass === 'timeout') this.#retire(key, entry);
      throw error;
    } finally {
      entry.users -= 1;
      if (entry.users === 0) this.#rest(key, entry);
    }
  }

  #connect(key: string, server: string, endpoint: Endpoint): Entry {
    const { signal } = this.#stopped;
    if (signal.aborted) throw new WorkError('the runtime is stopping', { retryable: true, errorClass: 'io_error' });
    const trusted = endpoint.kind === 'http' && endpoint.trusted;
    const connection = McpConnection.open({ server, endpoint, outbound: trusted ? this.#trusted : this.#outbound, signal });
    const entry: Entry = { connection, users: 0, isProven: false, idle: null };
    const forget = (): void => {
      this.#open.delete(connection);
      this.#retire(key, entry);
    };
    connection.then((opened) => {
      opened.onClosed = forget;
    }, forget);
    this.#open.add(connection);
    this.#entries.set(key, entry);
    return entry;
  }

  /** Takes the connection away from later calls, and closes it when no call uses it. */
  #retire(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    if (entry.idle !== null) clearTimeout(entry.idle);
    if (entry.users === 0) void closed(entry.connection);
  }

  #rest(key: string, entry: Entry): void {
    const retire = (): void => this.#retire(key, entry);
    if (this.#entries.get(key) === entry) entry.idle = setTimeout(retire, this.#idleMs).unref();
    else retire();
  }

  /** Closes all connections and ends the commands. */
  async close(): Promise<void> {
    this.#stopped.abort();
    await Promise.all([...this.#open].map(closed));
  }
}

/** A connection that could not be opened needs no closing: who asked for it knows the error. */
async function closed(connection: Promise<McpConnection>): Promise<void> {
  const [outcome] = await Promise.allSettled([connection]);
  if (outcome.status === 'fulfilled') await outcome.value.close();
}

/** The connection is shared, so that an aborted caller leaves it to the others. */
async function unlessAborted(connection: Promise<McpConnection>, { signal, server }: ServerCall): Promise<McpConnection> {
  if (signal.aborted) throw abortFailure(signal, server);
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(abortFailure(signal, server));
  });
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([connection, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
