import { hash } from 'node:crypto';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { RequestError } from '../errors.ts';
import { handleError } from '../replies/error-handler.ts';
import { ArtifactByHash, PutArtifactQuery, StoredArtifact } from '../schemas/artifacts.ts';
import { type Api, actionContext, identityOf, type Services } from '../services.ts';

const MAX_BYTES = 8 * 1024 * 1024;
const YEAR_SECS = 31_536_000;

const ANY_BYTES = { content: { '*/*': { schema: { type: 'string', format: 'binary' } } } };
const NOT_MODIFIED = { description: 'The client has the current version.', content: {} };
const tags = ['Artifacts'];

/** Bodies are bytes, not JSON: these routes have a scope of their own whose parser returns them unchanged. */
export function artifactRoutes(app: Api, services: Services): void {
  void app.register(async (scope: Api) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: unknown, bytes: Buffer) => bytes);
    scope.setErrorHandler((error: Error, request, reply) => handleError(tooLarge(error) ?? error, request, reply));
    routes(scope, services);
  });
}

function routes(app: Api, { store, nowMs }: Services): void {
  app.post(
    '/artifacts',
    {
      config: { access: 'write', addsStorage: true },
      bodyLimit: MAX_BYTES,
      schema: {
        summary: 'Store an artifact',
        description: 'At most 8 MiB. The same bytes are stored once, with the media type of the first request.',
        tags,
        operationId: 'putArtifact',
        querystring: PutArtifactQuery,
        body: ANY_BYTES,
        response: { 200: StoredArtifact },
      },
    },
    async (request) => {
      const content = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const atMs = nowMs();
      const stored = await store.artifacts.put(
        {
          hash: hash('sha256', content, 'hex'),
          mediaType: mediaTypeOf(request.query.media_type ?? request.contentType),
          size: content.length,
          createdAtMs: atMs,
          content,
        },
        actionContext(request, atMs),
      );
      return { hash: stored.hash, size: stored.size, media_type: stored.mediaType };
    },
  );

  app.get(
    '/artifacts/:hash',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Get the bytes of an artifact',
        description: 'As a download, with the media type they were stored with.',
        tags,
        operationId: 'getArtifact',
        params: ArtifactByHash,
        response: { 200: ANY_BYTES, 304: NOT_MODIFIED },
      },
    },
    async (request, reply) => {
      const key = request.params.hash;
      const artifact = await store.artifacts.get(identityOf(request).tenantId, key);
      if (artifact === null) throw new RuntimeError('not_found', `artifact ${truncated(key)} not found`);
      const etag = `"${artifact.hash}"`;
      void reply.headers({
        etag,
        'cache-control': `private, max-age=${YEAR_SECS}, immutable`,
        // Browsers must not run uploads as pages of this server.
        'content-disposition': `attachment; filename="${artifact.hash}"`,
        'content-security-policy': "default-src 'none'; sandbox",
        'x-content-type-options': 'nosniff',
      });
      if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send();
      return reply.header('content-type', artifact.mediaType ?? 'application/octet-stream').send(artifact.content);
    },
  );
}

/** The media type is later sent as a header. Throws `RuntimeError` `bad_request` if it cannot be. */
function mediaTypeOf(given: string | null): string | null {
  if (given === null || given === '') return null;
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+*-]+(?:\s*;[\x20-\x7e]*)?$/.test(given) || given.length > 255)
    throw new RuntimeError('bad_request', `not a media type: ${truncated(given)}`);
  return given;
}

function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch?.split(',').some((each) => each.trim().replace(/^W\//, '') === etag || each.trim() === '*') ?? false;
}

function tooLarge(error: Error): RequestError | null {
  const isTooLarge = 'code' in error && error.code === 'FST_ERR_CTP_BODY_TOO_LARGE';
  return isTooLarge ? new RequestError('too_large', 'the artifact is larger than 8 MiB') : null;
}
