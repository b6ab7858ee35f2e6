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
/** Viewers have nothing to say. */
const MAX_PAYLOAD_BYTES = 4096;
/** How long a viewer may take to say goodbye. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Somebody who looks on. */
export interface ViewerConnection {
  /** Resolves when there is room for more. Rejects when the viewer has gone. */
  send(message: InspectionMessage): Promise<void>;
  /** Aborted when the viewer has gone. */
  readonly closed: AbortSignal;
}

/** Where viewers come in: a WebSocket server on this machine's loopback address, and a page with Stately's inspector for browsers. */
export class InspectorServer {
  readonly #http: Server;
  readonly #sockets: WebSocketServer;

  private constructor(came: (viewer: ViewerConnection) => void) {
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
    this.#sockets.on('connection', (socket) => came(viewerConnection(socket)));
  }

  /** Rejects with a `Failure` when the port is not to be had; 0 = any that is free. */
  static async listen(port: number, onViewer: (viewer: ViewerConnection) => void): Promise<InspectorServer> {
    const server = new InspectorServer(onViewer);
    // It passes on the errors of the server, which are looked at here.
    server.#sockets.on('error', () => undefined);
    server.#http.listen(port, HOST);
    try {
      await once(server.#http, 'listening');
    } catch (cause) {
      throw new Failure(`cannot listen on ${HOST}:${port}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        hint: 'Pass another --port, or none for any that is free.',
        cause,
      });
    }
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  /** Whoever is there is told goodbye, after what was sent before. */
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
  // Who breaks the rules has been told so; that they hear it is not waited for.
  socket.on('error', () => {
    markClosed();
    setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS).unref();
  });
  return {
    closed: controller.signal,
    send: (message) =>
      new Promise((sent, failed) => {
        // One who is about to leave is not open any more, and refused with an error.
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
  if (url !== '/') return [404, 'there is only /'];
  if (method !== 'GET' && method !== 'HEAD') return [405, 'there is nothing to change here'];
  return [200, ''];
}
