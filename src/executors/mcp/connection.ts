import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JsonObject } from '../../../machines/json.ts';
import { WorkError } from '../executor.ts';
import type { Outbound } from '../outbound/index.ts';
import { withoutSecrets } from '../secrets.ts';
import { type Endpoint, type HttpEndpoint, secretsOf } from './endpoint.ts';
import { Exchange } from './exchange.ts';
import { abortFailure, failureOf } from './failure.ts';
import { guardedFetch } from './guarded-fetch.ts';
import { Allowance, tooLarge, tooManyMessages } from './reply-limit.ts';

/** Longest time to start a server and greet it. */
const CONNECT_MS = 30_000;
/** The SDK's own time limit, which is not used: the signal of a request limits it. */
const NO_TIMEOUT = { timeout: 2_147_483_647 };

/** Loaded at the first call, because loading takes a tenth of a second. */
const loadSdk = async () => {
  const [{ Client }, { CommandTransport }, { StreamableHTTPClientTransport }, { SSEClientTransport }] = await Promise.all([
    import('@modelcontextprotocol/sdk/client/index.js'),
    import('./command-transport.ts'),
    import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
    import('@modelcontextprotocol/sdk/client/sse.js'),
  ]);
  return { Client, CommandTransport, StreamableHTTPClientTransport, SSEClientTransport };
};

export interface ConnectOptions {
  /** Name of the server, for errors. */
  readonly server: string;
  readonly endpoint: Endpoint;
  readonly outbound: Outbound;
  /** Ends the attempt to connect. */
  readonly signal: AbortSignal;
}

/** What a tool has returned, as the SDK has checked it. */
export interface ToolResult {
  readonly content: readonly (TextContent | OtherContent)[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
}

type TextContent = { readonly type: 'text'; readonly text: string };
type OtherContent = { readonly type: 'audio' | 'image' | 'resource' | 'resource_link' };

/** A tool of a server. */
export interface ServerTool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: { readonly properties?: object | undefined; readonly required?: string[] | undefined };
}

/** More pages of tools than any server has that means well. */
const MAX_PAGES = 100;

/** A session with a server. Requests may run at the same time. */
export class McpConnection {
  readonly #server: string;
  readonly #secrets: readonly string[];
  readonly #allowance = new Allowance();
  readonly #exchanges = new Set<Exchange>();
  #client: Client | null = null;
  #closing: Promise<void> | null = null;
  /** Called once, when the connection is of no use any more. */
  onClosed: () => void = () => {};

  private constructor(server: string, secrets: readonly string[]) {
    this.#server = server;
    this.#secrets = secrets;
  }

  /** Starts or reaches the server, and greets it. Rejects with `WorkError`. */
  static async open({ server, endpoint, outbound, signal }: ConnectOptions): Promise<McpConnection> {
    const sdk = await loadSdk();
    const connect = async (mode: 'streamable' | 'sse' | 'stdio'): Promise<McpConnection> => {
      const connection = new McpConnection(server, secretsOf(endpoint));
      const transport =
        endpoint.kind === 'command'
          ? new sdk.CommandTransport(endpoint, () => void connection.close())
          : mode === 'sse'
            ? new sdk.SSEClientTransport(new URL(endpoint.url), { fetch: connection.#fetch(endpoint, outbound, mode) })
            : new sdk.StreamableHTTPClientTransport(new URL(endpoint.url), {
                fetch: connection.#fetch(endpoint, outbound, 'streamable'),
              });
      // The SDK's transports differ from its interface in the types of optional members.
      await connection.#connect(new sdk.Client({ name: 'jamjet-runtime', version: '1' }), transport as Transport, signal);
      return connection;
    };
    if (endpoint.kind === 'command') return connect('stdio');
    try {
      return await connect('streamable');
    } catch (error) {
      const status = error instanceof WorkError ? error.httpStatus : null;
      if (!endpoint.sse || status === null || ![400, 404, 405].includes(status)) throw error;
    }
    return connect('sse');
  }

  #fetch(endpoint: HttpEndpoint, outbound: Outbound, mode: 'streamable' | 'sse') {
    const onLost = (error: WorkError): void => this.#lose(error);
    return guardedFetch({ server: this.#server, endpoint, outbound, mode, allowance: this.#allowance, onLost });
  }

  async #connect(client: Client, transport: Transport, stopped: AbortSignal): Promise<void> {
    this.#client = client;
    transport.onmessage = () => {
      if (!this.#allowance.takeMessage()) this.#lose(tooManyMessages(this.#server));
    };
    // The client fails what is in progress itself.
    client.onclose = () => void this.close();
    client.onerror = (error) => {
      // The transport of commands stops the command then, but does not say why to its caller.
      if (error.message.startsWith('ReadBuffer exceeded')) this.#lose(tooLarge(this.#server));
    };
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(CONNECT_MS), stopped]);
      await this.#request(signal, () => client.connect(transport, { signal, ...NO_TIMEOUT }));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Calls a tool. Rejects with `WorkError`. */
  async call(name: string, input: JsonObject, meta: JsonObject, signal: AbortSignal): Promise<ToolResult> {
    return this.#request(signal, async (client) => {
      const result = await client.callTool({ name, arguments: input, _meta: meta }, undefined, { signal, ...NO_TIMEOUT });
      return result.isError === true ? this.#withoutSecrets(result as ToolResult) : (result as ToolResult);
    });
  }

  /** The texts of a result that is an error become texts of events. */
  #withoutSecrets(result: ToolResult): ToolResult {
    const content = result.content.map((part) =>
      part.type === 'text' ? { ...part, text: withoutSecrets(this.#secrets, part.text) } : part,
    );
    return { ...result, content };
  }

  /** Name and version by which the server introduced itself. */
  get info(): { readonly name: string; readonly version: string } {
    const { name = '', version = '' } = this.#client?.getServerVersion() ?? {};
    return { name, version };
  }

  /** One page of the tools of the server. */
  async tools(
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly tools: ServerTool[]; readonly next: string | undefined }> {
    const page = await this.#request(signal, (client) =>
      client.listTools(cursor === undefined ? {} : { cursor }, { signal, ...NO_TIMEOUT }),
    );
    return { tools: page.tools, next: page.nextCursor };
  }

  /** All tools of the server. */
  async allTools(signal: AbortSignal): Promise<readonly ServerTool[]> {
    const tools: ServerTool[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES && (page === 0 || cursor !== undefined); page += 1) {
      const read = await this.tools(cursor, signal);
      tools.push(...read.tools);
      cursor = read.next;
    }
    return tools;
  }

  async #request<T>(signal: AbortSignal, send: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (signal.aborted) throw abortFailure(signal, this.#server);
    if (client === null || this.#closing !== null) throw failureOf(new Error('Not connected'), this.#server, []);
    const exchange = new Exchange();
    const abort = (): void => exchange.fail(abortFailure(signal, this.#server));
    signal.addEventListener('abort', abort, { once: true });
    this.#exchanges.add(exchange);
    this.#allowance.renew();
    try {
      return await exchange.run(() => send(client));
    } catch (error) {
      throw failureOf(error, this.#server, this.#secrets);
    } finally {
      signal.removeEventListener('abort', abort);
      this.#exchanges.delete(exchange);
    }
  }

  /** Fails what is in progress, and closes. */
  #lose(error: WorkError): void {
    for (const exchange of this.#exchanges) exchange.fail(error);
    void this.close();
  }

  /** Resolves once the command has ended, or the transport is closed. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.onClosed();
    const transport = this.#client?.transport;
    try {
      // Only streamable HTTP has sessions.
      if (transport !== undefined && 'terminateSession' in transport) await (transport.terminateSession as () => Promise<void>)();
    } catch {
      // The server has gone, or does not answer: then it has to end the session itself.
    } finally {
      await this.#client?.close();
    }
  }
}
