import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { webServer } from '../web-server.ts';
import { testServer } from './test-server.mjs';

export interface TestHttpServer {
  readonly url: string;
  /** Method and path of each request, in the order of their arrival. */
  readonly requests: readonly string[];
  readonly headers: readonly Readonly<Record<string, unknown>>[];
  /** The messages. */
  readonly bodies: readonly { readonly method?: string; readonly params?: unknown }[];
  /** What the tools report. */
  readonly reports: readonly string[];
  /** Resolves when a tool reports this. */
  reported(what: string): Promise<void>;
  /** Forgets all sessions, as a restart does. */
  forget(): void;
}

/** A real MCP server over HTTP: with sessions, replying by SSE or JSON; or the older HTTP with SSE. */
export async function mcpHttpServer(mode: 'sse-replies' | 'json-replies' | 'legacy'): Promise<TestHttpServer> {
  const sessions = new Map<string, StreamableHTTPServerTransport | SSEServerTransport>();
  const requests: string[] = [];
  const headers: Record<string, unknown>[] = [];
  const bodies: { readonly method?: string; readonly params?: unknown }[] = [];
  const reports: string[] = [];
  const waiting: { what: string; resolve: () => void }[] = [];
  const report = (what: string): void => {
    reports.push(what);
    for (const { resolve } of waiting.filter((one) => one.what === what)) resolve();
  };

  const streamable = async (request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> => {
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    if (known instanceof StreamableHTTPServerTransport) return known.handleRequest(request, response, body);
    if (id !== undefined) return void response.writeHead(404).end('no such session');
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      enableJsonResponse: mode === 'json-replies',
      onsessioninitialized: (session) => void sessions.set(session, transport),
    });
    await testServer(report, () => server.closeAllConnections()).connect(transport as never);
    await transport.handleRequest(request, response, body);
  };

  const legacy = async (request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> => {
    if (request.method === 'GET') {
      const transport = new SSEServerTransport('/messages', response);
      sessions.set(transport.sessionId, transport);
      return testServer(report, () => server.closeAllConnections()).connect(transport);
    }
    const id = new URL(request.url ?? '', 'http://localhost').searchParams.get('sessionId');
    const known = id === null ? undefined : sessions.get(id);
    if (known instanceof SSEServerTransport) return known.handlePostMessage(request, response, body);
    response.writeHead(405).end();
  };

  const {
    url,
    server,
    requests: received,
  } = await webServer((request, response) => {
    requests.push(`${request.method} ${request.url?.split('?')[0]}`);
    headers.push(request.headers);
    const text = received.at(-1)?.body ?? '';
    const handle = mode === 'legacy' ? legacy : streamable;
    const body = text === '' ? undefined : (JSON.parse(text) as { readonly method?: string });
    if (body !== undefined) bodies.push(body);
    void handle(request, response, body);
  });
  return {
    url: `${url}/mcp`,
    requests,
    headers,
    bodies,
    reports,
    reported: (what) => (reports.includes(what) ? Promise.resolve() : new Promise((resolve) => waiting.push({ what, resolve }))),
    forget: () => sessions.clear(),
  };
}
