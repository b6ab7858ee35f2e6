import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { Failure } from '../failure.ts';
import { refusal } from './gate.ts';
import { inspectorPage, pagePolicy } from './page.ts';
import type { InspectionMessage } from './protocol.ts';

const HOST = '127.0.0.1';
/** Viewers have nothing to say. */
const MAX_HEARD_BYTES = 4096;
/** How long a viewer may take to say goodbye. */
const GOODBYE_MS = 1_000;

/** Somebody who looks on. */
export interface Viewer {
  /** Resolves when there is room for more. Rejects when the viewer has gone. */
  send(message: InspectionMessage): Promise<void>;
  /** Aborted when the viewer has gone. */
  readonly gone: AbortSignal;
}

/** Where viewers come in: a WebSocket server on this machine's loopback address, and a page with Stately's inspector for browsers. */
export class Door {
  readonly #http: Server;
  readonly #sockets: WebSocketServer;

  private constructor(came: (viewer: Viewer) => void) {
    this.#http = createServer(answer);
    this.#sockets = new WebSocketServer({
      server: this.#http,
      maxPayload: MAX_HEARD_BYTES,
      perMessageDeflate: false,
      verifyClient: ({ req }, decided) => {
        const reason = refusal(req.headers);
        decided(reason === null, 403, reason ?? '');
      },
    });
    this.#sockets.on('connection', (socket) => came(viewerOf(socket)));
  }

  /** Rejects with a `Failure` when the port is not to be had; 0 = any that is free. */
  static async open(port: number, came: (viewer: Viewer) => void): Promise<Door> {
    const door = new Door(came);
    // It passes on the errors of the server, which are looked at here.
    door.#sockets.on('error', () => undefined);
    door.#http.listen(port, HOST);
    try {
      await once(door.#http, 'listening');
    } catch (cause) {
      throw new Failure(`cannot listen on ${HOST}:${port}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        hint: 'Pass another --port, or none for any that is free.',
        cause,
      });
    }
    return door;
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
    }, GOODBYE_MS);
    await closed;
    clearTimeout(late);
  }
}

function viewerOf(socket: WebSocket): Viewer {
  const controller = new AbortController();
  const left = (): void => controller.abort();
  socket.on('close', left);
  // Who breaks the rules has been told so; that they hear it is not waited for.
  socket.on('error', () => {
    left();
    setTimeout(() => socket.terminate(), GOODBYE_MS).unref();
  });
  return {
    gone: controller.signal,
    send: (message) =>
      new Promise((sent, failed) => {
        // One who is about to leave is not open any more, and refused with an error.
        socket.send(JSON.stringify(message), (error) => {
          if (error == null) return sent();
          left();
          failed(error);
        });
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [status, problem] = problemWith(request);
  if (problem !== '') {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${problem}\n`);
    return;
  }
  const nonce = randomBytes(16).toString('base64');
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': pagePolicy(nonce, String(request.headers.host)),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(inspectorPage(nonce));
}

function problemWith({ method, url, headers }: IncomingMessage): readonly [status: number, problem: string] {
  const reason = refusal(headers);
  if (reason !== null) return [403, reason];
  if (url !== '/') return [404, 'there is only /'];
  if (method !== 'GET' && method !== 'HEAD') return [405, 'there is nothing to change here'];
  return [200, ''];
}
