import { readFile } from 'node:fs/promises';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { JsonObject } from '../../../machines/json.ts';
import { dependencyFile } from '../../../store/package-files.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { openApiDocument } from '../openapi/document.ts';
import type { DescribedRoute } from '../openapi/routes.ts';
import { anyObject, text } from '../schemas/fields.ts';
import type { Api } from '../services.ts';

/** Assets of the page, from the package of Swagger UI. */
const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};
const START = 'start.js';
const DAY_SECS = 86_400;

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>JamJet REST API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<main id="page"></main>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/${START}"></script>
</body>
</html>
`;

const START_SCRIPT = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#page',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  presets: [SwaggerUIBundle.presets.apis],
  layout: 'BaseLayout',
  validatorUrl: null,
});
`;

/** Only scripts of this server run; Swagger UI sets inline styles and uses data URLs for images. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `routes` may grow until the first request. */
export function documentationRoutes(app: Api, routes: readonly DescribedRoute[]): void {
  let document: JsonObject | null = null;

  app.get(
    '/openapi.json',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Get the OpenAPI document',
        tags: ['Documentation'],
        operationId: 'getOpenApi',
        response: { 200: anyObject('An OpenAPI 3.1 document.') },
      },
    },
    async () => {
      document ??= openApiDocument(routes);
      return document;
    },
  );

  app.get(
    '/docs',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Show the documentation',
        tags: ['Documentation'],
        operationId: 'getDocs',
        response: {
          200: {
            description: 'An HTML page that shows the OpenAPI document.',
            content: { 'text/html': { schema: Type.String() } },
          },
        },
      },
    },
    async (_request, reply) => withPageHeaders(reply, 'text/html; charset=utf-8').send(PAGE),
  );

  app.get(
    '/docs/:file',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Get an asset of the documentation',
        tags: ['Documentation'],
        operationId: 'getDocsFile',
        params: Type.Object({ file: text('Name of the asset.') }),
        response: { 200: { description: 'The asset.', content: { '*/*': { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      const { file } = request.params;
      if (file === START) return withPageHeaders(reply, 'text/javascript; charset=utf-8').send(START_SCRIPT);
      const type = Object.hasOwn(ASSETS, file) ? ASSETS[file] : undefined;
      if (type === undefined) throw new RuntimeError('not_found', `file ${truncated(file)} not found`);
      const bytes = await readFile(dependencyFile(`@fastify/swagger-ui/static/${file}`));
      return withPageHeaders(reply, type).header('cache-control', `public, max-age=${DAY_SECS}`).send(bytes);
    },
  );
}

function withPageHeaders(reply: FastifyReply, type: string): FastifyReply {
  return reply.type(type).headers({ 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff' });
}
