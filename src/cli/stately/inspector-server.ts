import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { Failure } from '../failure.ts';
import { rejectionReason } from './handshake.ts';
import { contentSecurityPolicy, inspectorPage } from './page.ts';
import type { InspectionMessage } from './protocol.ts';

const HOST = '127.0.0.1';
/** Viewers send no messages. */
const MAX_PAYLOAD_BYTES = 4096;
/** Time for a viewer to complete the closing handshake. */
const CLOSE_TIMEOUT_MS = 1_000;

/** The connection of a viewer. */
export interface ViewerConnection {
  /** Resolves when the message is written to the socket. Rejects when the connection is closed. */
  send(message: InspectionMessage): Promise<void>;
  /** Aborted when the connection is closed. */
  readonly closed: AbortSignal;
}

/** A WebSocket server on the loopback address for viewers, and a page with the Stately inspector for browsers. */
export class InspectorServer {
  readonly #http: Server;
  readonly #sockets: WebSocketServer;

  private constructor(onViewer: (viewer: ViewerConnection) => void) {
    this.#http = createServer(handleRequest);
    this.#sockets = new WebSocketServer({
      server: this.#http,
      maxPayload: MAX_PAYLOAD_BYTES,
      perMessageDeflate: false,
      verifyClient: ({ req }, decided) => {
        const reason = rejectionReason(req.headers);
        decided(reason === null, 403, reason ?? '');
      },
    });
    this.#sockets.on('connection', (socket) => onViewer(viewerConnection(socket)));
  }

  /** Port 0 = any free port. Rejects with a `Failure` if the port is in use. */
  static async listen(port: number, onViewer: (viewer: ViewerConnection) => void): Promise<InspectorServer> {
    const server = new InspectorServer(onViewer);
    // The WebSocket server re-emits errors of the HTTP server, which are handled below.
    server.#sockets.on('error', () => undefined);
    server.#http.listen(port, HOST);
    try {
      await once(server.#http, 'listening');
    } catch (cause) {
      throw new Failure(`cannot listen on ${HOST}:${port}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        hint: 'Pass another --port, or none for any free port.',
        cause,
      });
    }
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  /** Closes all connections after the messages that are already queued. */
  async close(): Promise<void> {
    const closed = once(this.#http, 'close');
    this.#sockets.close();
    this.#http.close();
    for (const socket of this.#sockets.clients) socket.close(1001, 'jamjet inspect has stopped');
    const late = setTimeout(() => {
      for (const socket of this.#sockets.clients) socket.terminate();
      this.#http.closeAllConnections();
    }, CLOSE_TIMEOUT_MS);
    await closed;
    clearTimeout(late);
  }
}

function viewerConnection(socket: WebSocket): ViewerConnection {
  const controller = new AbortController();
  const markClosed = (): void => controller.abort();
  socket.on('close', markClosed);
  // ws has sent a close frame for a protocol error; do not wait for the reply.
  socket.on('error', () => {
    markClosed();
    setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS).unref();
  });
  return {
    closed: controller.signal,
    send: (message) =>
      new Promise((sent, failed) => {
        // A closing socket rejects messages with an error.
        socket.send(JSON.stringify(message), (error) => {
          if (error == null) return sent();
          markClosed();
          failed(error);
        });
      }),
  };
}

function handleRequest(request: IncomingMessage, response: ServerResponse): void {
  const [status, problem] = requestProblem(request);
  if (problem !== '') {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${problem}\n`);
    return;
  }
  const nonce = randomBytes(16).toString('base64');
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentSecurityPolicy(nonce, String(request.headers.host)),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(inspectorPage(nonce));
}

function requestProblem({ method, url, headers }: IncomingMessage): readonly [status: number, problem: string] {
  const reason = rejectionReason(headers);
  if (reason !== null) return [403, reason];
  if (url !== '/') return [404, 'not found: the only page is /'];
  if (method !== 'GET' && method !== 'HEAD') return [405, 'only GET and HEAD are allowed'];
  return [200, ''];
}
