import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RuntimeError } from '../../runtime/errors.ts';
import { type Config, urlOf } from '../../server/config.ts';
import type { Metrics, MetricsText } from '../../telemetry/metrics/index.ts';
import { isLoopback } from '../auth/cross-origin.ts';
import { errorReply, RequestError } from '../errors.ts';
import { checkMetricsAccess } from './access.ts';

export interface MetricsListenerOptions {
  readonly config: Pick<Config, 'bind' | 'publicUrl' | 'metrics'>;
  readonly metrics: Metrics;
  readonly onError: (error: unknown) => void;
}

/** Serves `GET /metrics` and nothing else, on a port of its own, if the metrics have one (`JAMJET_METRICS_PORT`). */
export class MetricsListener {
  readonly #options: MetricsListenerOptions;
  #server: Server | null = null;

  constructor(options: MetricsListenerOptions) {
    this.#options = options;
  }

  /**
   * Begins to count, if the metrics can be read; the server does not wait for that. Resolves with the URL of the port once it listens;
   * null = the metrics have none. Rejects if the port is in use.
   */
  async start(): Promise<string | null> {
    const { config, metrics, onError } = this.#options;
    const { token, port } = config.metrics;
    if (token !== null || port !== null || isLoopback(config.bind)) void metrics.start().catch(onError);
    if (port === null) return null;
    const server = createServer((request, reply) => {
      this.#answer(request).then(
        ({ contentType, text }) => reply.writeHead(200, { 'content-type': contentType }).end(text),
        (error: unknown) => {
          if (!(error instanceof RequestError || error instanceof RuntimeError)) onError(error);
          const { status, headers, body } = errorReply(error, 'none');
          reply.writeHead(status, { ...headers, 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
        },
      );
    });
    this.#server = server;
    server.listen(port, config.bind);
    await once(server, 'listening');
    return `${urlOf(config.bind, (server.address() as AddressInfo).port)}/metrics`;
  }

  close(): void {
    this.#options.metrics.close();
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  async #answer(request: IncomingMessage): Promise<MetricsText> {
    const { config, metrics } = this.#options;
    const path = request.url?.split('?', 1)[0];
    if (path !== '/metrics') throw new RuntimeError('not_found', `${path} on the port of /metrics not found`);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new RequestError('method_not_allowed', `${request.method} /metrics; use GET`, { headers: { allow: 'GET' } });
    checkMetricsAccess(config, request.headers);
    return metrics.scrape();
  }
}
