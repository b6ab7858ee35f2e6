import type { FastifyReply, FastifyRequest } from 'fastify';
import type { JsonObject } from '../../../machines/json.ts';
import { a2aCard } from '../a2a/card.ts';
import { type A2aContext, methodOf, streamingMethodOf } from '../a2a/methods.ts';
import { sendNews } from '../a2a/news.ts';
import { type A2aVersion, checkVersion, errorResponse, idOf, RpcError, readCall, successResponse } from '../a2a/rpc.ts';
import { requireAccess } from '../auth/identity.ts';
import { publicUrl } from '../discovery/public-url.ts';
import { errorReply } from '../errors.ts';
import { handleError } from '../replies/error-handler.ts';
import { traceparent } from '../requests/traceparent.ts';
import { A2aAnswer, A2aCall, A2aCard } from '../schemas/a2a.ts';
import { type Api, callerOf, identityOf, type Services, stringField } from '../services.ts';

const tags = ['Federation'];
/** How long the public card may be out of date. */
const PUBLIC_CARD_MS = 2_000;

export function a2aRoutes(app: Api, { runtime, polls, streams, published, nowMs, config }: Services): void {
  /** Anyone may ask for it, and it takes a look at every workflow. */
  const publicCard = memoised(() => cardFor('default'), nowMs);
  const cardFor = async (tenantId: string): Promise<A2aCard> =>
    a2aCard(publicUrl(app, config), await published.list(tenantId, 'a2a'));

  for (const [url, operationId] of [
    ['/.well-known/agent-card.json', 'getAgentCard'],
    ['/.well-known/agent.json', 'getAgentCardOfOldPath'],
  ] as const) {
    app.get(
      url,
      {
        config: { access: 'open', checksFields: false },
        schema: {
          summary: 'Get the A2A card of this server',
          description:
            'With the workflows that tenant `default` publishes as skills. `GetExtendedAgentCard` gives those of the caller.',
          tags,
          operationId,
          response: { 200: A2aCard },
        },
      },
      async () => publicCard(),
    );
  }

  app.post(
    '/a2a',
    {
      config: {
        access: 'read',
        checksFields: false,
        reducesLoad: (body) => /^(CancelTask|tasks\/cancel)$/.test(stringField(body, 'method')),
      },
      schema: {
        summary: 'Call A2A',
        description:
          'JSON-RPC of A2A 1.0 (`SendMessage`, `GetTask`, `CancelTask`) and 0.3 (`message/send`, `tasks/get`, `tasks/cancel`). A task is an execution. Sending and cancelling require a developer or an operator. `SendStreamingMessage`, `SubscribeToTask` (0.3: `message/stream`, `tasks/resubscribe`) reply with server-sent events, each a JSON-RPC response.',
        tags,
        operationId: 'speakA2a',
        body: A2aCall,
        response: { 200: A2aAnswer, 400: A2aAnswer },
      },
      errorHandler: handleParseError,
    },
    async (request, reply) => {
      const { body } = request;
      try {
        const header = request.headers['a2a-version'];
        checkVersion(Array.isArray(header) ? header[0] : header);
        const { id, method, params } = readCall(body);
        const contextOf = (version: A2aVersion): A2aContext => ({
          runtime,
          caller: callerOf(request),
          traceparent: traceparent(request.headers),
          version,
          permitWriting: () => requireAccess(identityOf(request).role, 'write'),
          card: async () => (await cardFor(identityOf(request).tenantId)) as unknown as JsonObject,
          waitFor: (wait) => polls.run(reply, wait),
        });
        const streaming = streamingMethodOf(method);
        if (streaming !== null) {
          const { version } = streaming;
          const taskId = await streaming.taskOf(contextOf(version), params);
          const { tenantId } = identityOf(request);
          const pace = streams.turns(tenantId);
          return streams.open(request, reply, async (stream, signal) => {
            const send = (result: JsonObject) => stream.send({ data: successResponse(id, result) });
            await sendNews(taskId, { runtime, tenantId, version, signal, pace, send });
          });
        }
        const { version, run } = methodOf(method);
        return successResponse(id, await run(contextOf(version), params));
      } catch (error) {
        if (error instanceof RpcError) return errorResponse(idOf(body), error);
        throw error;
      }
    },
  );
}

/** The result of a function, for `PUBLIC_CARD_MS` after it was called. */
function memoised<T>(read: () => Promise<T>, nowMs: () => number): () => Promise<T> {
  let last: { readonly atMs: number; readonly value: Promise<T> } | null = null;
  return () => {
    const atMs = nowMs();
    if (last === null || atMs - last.atMs >= PUBLIC_CARD_MS || atMs < last.atMs) {
      const value = read();
      last = { atMs, value };
      value.catch(() => {
        last = null;
      });
    }
    return last.value;
  };
}

/** Replies in JSON-RPC to a body that is not JSON; other errors, such as a missing token, have the usual form. */
function handleParseError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body } = errorReply(error, request.id);
  if (status !== 400) handleError(error, request, reply);
  else void reply.code(400).send(errorResponse(null, new RpcError('PARSE_ERROR', body.error)));
}
