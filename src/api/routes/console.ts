import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { builtFile } from '../../../store/package-files.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { VERSION } from '../../server/config.ts';
import { text } from '../schemas/fields.ts';
import { Root } from '../schemas/health.ts';
import type { Api } from '../services.ts';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const YEAR_SECS = 31_536_000;

/** Nothing but files of this server, and no script or style inside a page. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SECURITY_HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

/** The web console: a page at `/`, and its assets. Files are read when they are asked for. */
export function consoleRoutes(app: Api): void {
  app.get(
    '/',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Open the console',
        description: 'The web console, for clients that accept HTML.',
        tags: ['Console'],
        operationId: 'getRoot',
        response: {
          200: Root,
        },
      },
    },
    async (request, reply) => {
      void reply.header('vary', 'accept');
      if (!/\btext\/html\b/i.test(request.headers.accept ?? ''))
        return { name: 'jamjet' as const, version: VERSION, docs: 'docs', openapi: 'openapi.json', health: 'health' };
      const page = await readBuilt('index.html');
      if (page === null) throw new RuntimeError('not_found', 'the console is not built: run `npm run build`');
      // The names of assets change with their content; the page names those of this build.
      void reply.type('text/html; charset=utf-8').headers({ ...SECURITY_HEADERS, 'cache-control': 'no-cache' });
      return page as never;
    },
  );

  app.get(
    '/console/:file',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Get an asset of the console',
        tags: ['Console'],
        operationId: 'getConsoleFile',
        params: Type.Object({ file: text('Name of the asset.') }),
        response: { 200: { description: 'The asset.', content: { '*/*': { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      const { file } = request.params;
      const type = MEDIA_TYPES[extname(file)];
      // A name without a slash stays in the folder; a longer one than file systems have is no file's.
      if (type === undefined || !/^[\w.-]{1,200}$/.test(file))
        throw new RuntimeError('not_found', `file ${truncated(file)} not found`);
      const compressed = acceptsGzip(request) ? await readBuilt(`console/${file}.gz`) : null;
      const content = compressed ?? (await readBuilt(`console/${file}`));
      if (content === null) throw new RuntimeError('not_found', `file ${truncated(file)} not found`);
      void reply.type(type).headers({
        ...SECURITY_HEADERS,
        'cache-control': `public, max-age=${YEAR_SECS}, immutable`,
        vary: 'accept-encoding',
        ...(compressed === null ? {} : { 'content-encoding': 'gzip' }),
      });
      return content as never;
    },
  );
}

function acceptsGzip({ headers }: FastifyRequest): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/i.test(String(headers['accept-encoding'] ?? ''));
}

/** Null if there is no such file. */
async function readBuilt(path: string): Promise<Buffer | null> {
  return readFile(new URL(path, builtFile('console/'))).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}
