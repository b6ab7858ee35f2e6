import { PassThrough } from 'node:stream';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { CancelSignal } from '../../runtime/types/cancel-signal.ts';
import { errorReply } from '../errors.ts';
import { answerMcp, type RestCall } from '../mcp/bridge.ts';
import { acknowledgement, withProtocolDefaults } from '../mcp/plain.ts';
import { publishedTools } from '../mcp/published.ts';
import { handleError } from '../replies/error-handler.ts';
import { McpAnswer, McpAnswers, McpMessage } from '../schemas/mcp.ts';
import { type Api, identityOf, type Services } from '../services.ts';

/** JSON-RPC error code: the message could not be parsed. */
const PARSE_ERROR = -32_700;
/** Shorter than the idle timeout of proxies. */
const KEEP_ALIVE_MS = 25_000;

export function mcpRoutes(app: Api, { polls, published }: Services): void {
  app.post(
    '/mcp',
    {
      config: { access: 'read', checksFields: false },
      schema: {
        summary: 'Call MCP',
        description:
          'Streamable HTTP, or plain JSON-RPC. Each tool is a route of this API, with its roles and its errors. Without `text/event-stream` in `Accept`, messages may leave out the handshake and their id.',
        tags: ['MCP'],
        operationId: 'speakMcp',
        body: McpMessage,
        response: { 200: McpAnswers, 202: Type.Null({ description: 'The notification was received.' }), 400: McpAnswer },
      },
      errorHandler: handleParseError,
    },
    async (request, reply) => {
      const { body } = request;
      const plain = !(request.headers.accept ?? '').includes('text/event-stream');
      const taken = plain ? acknowledgement(body) : null;
      if (taken !== null) return reply.send(taken as never);
      const version = request.headers['mcp-protocol-version'];
      const response = await polls.run(reply, ({ signal }) =>
        answerMcp({
          message: plain ? withProtocolDefaults(body) : (body ?? null),
          protocolVersion: typeof version === 'string' ? version : undefined,
          tenantId: identityOf(request).tenantId,
          rest: restCallAs(app, request),
          published: async () => publishedTools(await published.list(identityOf(request).tenantId, 'mcp')),
          signal,
        }),
      );
      const text = await response.text();
      void reply.code(response.status as 200);
      return text === '' ? reply.send(undefined as never) : reply.type('application/json; charset=utf-8').send(text as never);
    },
  );

  app.get(
    '/mcp/sse',
    {
      config: { access: 'read', checksFields: false },
      exposeHeadRoute: false,
      schema: {
        summary: 'Open an MCP stream',
        description: 'For MCP clients that open a stream. The server sends only comments on it.',
        tags: ['MCP'],
        operationId: 'openMcpStream',
        response: { 200: { description: 'A stream of comments.', content: { 'text/event-stream': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => {
      const stream = new PassThrough();
      const keepAlive = (): void => void stream.write(': keep-alive\n\n');
      const timer = setInterval(keepAlive, KEEP_ALIVE_MS);
      timer.unref();
      keepAlive();
      void polls.run(reply, aborted).then(() => {
        clearInterval(timer);
        stream.end();
      });
      return reply
        .type('text/event-stream')
        .header('cache-control', 'no-store')
        .send(stream as never);
    },
  );
}

/** Calls the REST API as the caller: with the same token, request id and checks. */
function restCallAs(app: Api, { headers, id, ip }: FastifyRequest): RestCall {
  const { authorization, host, traceparent } = headers;
  return async ({ method, url, body }, maxBytes, signal) => {
    const reply = await app.inject({
      method,
      url,
      remoteAddress: ip,
      headers: {
        'x-request-id': id,
        ...(host === undefined ? {} : { host }),
        ...(authorization === undefined ? {} : { authorization }),
        ...(traceparent === undefined ? {} : { traceparent }),
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      payloadAsStream: true,
      signal,
    });
    const text = await textOf(reply.stream(), maxBytes);
    // Stops the handler that writes the reply.
    if (text === null) reply.raw.res.destroy();
    return { status: reply.statusCode, text };
  };
}

/** Null if there are more than `maxBytes`. */
async function textOf(stream: AsyncIterable<Buffer>, maxBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Replies in JSON-RPC to a message that is not JSON; other errors have the usual form. */
function handleParseError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body } = errorReply(error, request.id);
  if (status !== 400) handleError(error, request, reply);
  else void reply.code(400).send({ jsonrpc: '2.0', id: null, error: { code: PARSE_ERROR, message: body.error } });
}

function aborted(signal: CancelSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
