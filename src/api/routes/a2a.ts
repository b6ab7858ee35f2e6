import type { FastifyReply, FastifyRequest } from 'fastify';
import { a2aCard } from '../a2a/card.ts';
import { methodOf } from '../a2a/methods.ts';
import { checkVersion, errorResponse, idOf, type RpcAnswer, RpcError, readCall, successResponse } from '../a2a/rpc.ts';
import { requireAccess } from '../auth/identity.ts';
import { publicUrl } from '../discovery/public-url.ts';
import { errorReply } from '../errors.ts';
import { handleError } from '../replies/error-handler.ts';
import { A2aAnswer, A2aCall, A2aCard } from '../schemas/a2a.ts';
import { type Api, callerOf, identityOf, type Services, stringField } from '../services.ts';

const tags = ['Federation'];

export function a2aRoutes(app: Api, { runtime, polls, config }: Services): void {
  for (const [url, operationId] of [
    ['/.well-known/agent-card.json', 'getAgentCard'],
    ['/.well-known/agent.json', 'getAgentCardOfOldPath'],
  ] as const) {
    app.get(
      url,
      {
        config: { access: 'open' },
        schema: { summary: 'Get the A2A card of this server', tags, operationId, response: { 200: A2aCard } },
      },
      async () => a2aCard(publicUrl(app, config)),
    );
  }

  app.post(
    '/a2a',
    {
      config: { access: 'read', reducesLoad: (body) => /^(CancelTask|tasks\/cancel)$/.test(stringField(body, 'method')) },
      schema: {
        summary: 'Call A2A',
        description:
          'JSON-RPC of A2A 1.0 (`SendMessage`, `GetTask`, `CancelTask`) and 0.3 (`message/send`, `tasks/get`, `tasks/cancel`). A task is an execution. Sending and cancelling require a developer or an operator.',
        tags,
        operationId: 'speakA2a',
        body: A2aCall,
        response: { 200: A2aAnswer, 400: A2aAnswer },
      },
      errorHandler: handleParseError,
    },
    async (request, reply): Promise<RpcAnswer> => {
      const { body } = request;
      try {
        const header = request.headers['a2a-version'];
        checkVersion(Array.isArray(header) ? header[0] : header);
        const { id, method, params } = readCall(body);
        const { version, run } = methodOf(method);
        const result = await run(
          {
            runtime,
            caller: callerOf(request),
            version,
            permitWriting: () => requireAccess(identityOf(request).role, 'write'),
            waitFor: (wait) => polls.run(reply, wait),
          },
          params,
        );
        return successResponse(id, result);
      } catch (error) {
        if (error instanceof RpcError) return errorResponse(idOf(body), error);
        throw error;
      }
    },
  );
}

/** Replies in JSON-RPC to a body that is not JSON; other errors, such as a missing token, have the usual form. */
function handleParseError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body } = errorReply(error, request.id);
  if (status !== 400) handleError(error, request, reply);
  else void reply.code(400).send(errorResponse(null, new RpcError('PARSE_ERROR', body.error)));
}
