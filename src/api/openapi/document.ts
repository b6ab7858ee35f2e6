import { STATUS_CODES } from 'node:http';
import { irSchema } from '../../../machines/ir/schema.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { type Access, rolesWith } from '../auth/identity.ts';
import { TaggedNodeReasoning, TaggedNodeScoring } from '../operations/coordinator.ts';
import { DEFINITIONS, workflowDocument } from '../operations/workflows.ts';
import { ApiErrorBody } from '../schemas/errors.ts';
import { TAGGED_JSON, TaggedEventList } from '../schemas/events.ts';
import { Components } from './components.ts';
import { errorResponses, errorsOf } from './error-responses.ts';
import { EXAMPLES } from './examples.ts';
import { HEADERS } from './headers.ts';
import { INFO, SERVERS, TAGS } from './info.ts';
import type { DescribedRoute } from './routes.ts';

function requirement(access: Access): string {
  return access === 'open' ? 'Requires no token.' : `Requires role ${rolesWith(access)}.`;
}

/** The OpenAPI 3.1 document of these routes, made from the schemas that validate their requests. */
export function openApiDocument(routes: readonly DescribedRoute[]): JsonObject {
  const components = new Components();
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = route.url.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, components) };
  }
  const errors = errorResponses(components.write(ApiErrorBody) as JsonObject);
  return {
    openapi: '3.1.0',
    info: INFO,
    servers: SERVERS,
    security: [{ token: [] }],
    tags: TAGS,
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'From `jamjet token create` or `POST /tokens`: `jj_` and 64 hex digits.',
        },
      },
      responses: errors,
      schemas: { ...components.schemas(), ...workflowSchemas(components) },
    },
  };
}

function operation(route: DescribedRoute, components: Components): JsonObject {
  const { schema, access } = route;
  const { summary, description, tags = [], operationId } = schema;
  const parameters = parametersOf(route, components);
  const body = bodyOf(route, components);
  return {
    ...(operationId === undefined ? {} : { operationId }),
    ...(summary === undefined ? {} : { summary }),
    description: [description, requirement(access)].filter((text) => text !== undefined).join(' '),
    tags,
    ...(access === 'open' ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === null ? {} : { requestBody: body }),
    responses: { ...errorsOf(route), ...responsesOf(route, components) },
  };
}

function parametersOf(route: DescribedRoute, components: Components): readonly Json[] {
  const { params, querystring } = route.schema;
  return [
    ...parametersIn('path', params, components),
    ...parametersIn('query', querystring, components),
    ...(HEADERS[nameOf(route)] ?? []),
  ];
}

/** The key of examples and headers: `POST /executions/:id/cancel`. */
function nameOf({ method, url }: DescribedRoute): string {
  return `${method} ${url}`;
}

function parametersIn(place: 'path' | 'query', schema: unknown, components: Components): readonly JsonObject[] {
  if (!isObject(schema) || !isObject(schema.properties)) return [];
  const required = Array.isArray(schema.required) ? (schema.required as readonly Json[]) : [];
  return Object.entries(schema.properties).map(([name, value]) => {
    const { description = null, ...rest } = isObject(value) ? value : {};
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      description,
      schema: components.write(rest),
    };
  });
}

function bodyOf(route: DescribedRoute, components: Components): JsonObject | null {
  const { body, bodyMayBeMissing = false } = route.schema;
  if (!isObject(body)) return null;
  if (nameOf(route) === 'POST /workflows')
    return { required: true, content: { ...json(registration(body), EXAMPLES[nameOf(route)]?.request), ...WORKFLOW_FILE } };
  if (isObject(body.content)) return { required: true, content: contentOf(body.content, components) };
  return { required: !bodyMayBeMissing, content: json(components.write(body), EXAMPLES[nameOf(route)]?.request) };
}

const WORKFLOW_FILE: JsonObject = {
  'application/yaml': {
    schema: { type: 'string', description: 'A workflow file, with one or several workflows (docs/workflow-yaml.md).' },
    example: 'workflow: { id: hello, version: 0.1.0 }\nnodes:\n  greet: { type: tool, tool_ref: greet }\n',
  },
};

/** The route accepts any object, so that the compiler reports what is wrong; the document describes what is valid. */
function registration(body: JsonObject): JsonObject {
  const ir = workflowDocument('The workflow document.') as unknown as JsonObject;
  return { ...body, additionalProperties: true, properties: { ir } };
}

/** The schemas of workflow documents, explicitly open: unknown keys are allowed. */
function workflowSchemas(components: Components): JsonObject {
  const { $defs, ...workflow } = irSchema((name) => `${DEFINITIONS}${name}`);
  const schemas = Object.entries({ Workflow: workflow, ...$defs } as Readonly<Record<string, JsonObject>>);
  return Object.fromEntries(
    schemas.map(([name, schema]) => [
      name,
      components.write(schema.type === 'object' ? { ...schema, additionalProperties: true } : schema),
    ]),
  );
}

function responsesOf(route: DescribedRoute, components: Components): JsonObject {
  const { response } = route.schema;
  const responses = isObject(response) ? response : {};
  return Object.fromEntries(
    Object.entries(responses).map(([status, response]) => {
      const described = isObject(response) ? response : {};
      const description = described.description ?? STATUS_CODES[status] ?? status;
      if (described.type === 'null') return [status, { description }];
      if (isObject(described.content)) return [status, { description, content: contentOf(described.content, components) }];
      const example = status === '200' || status === '201' ? EXAMPLES[nameOf(route)]?.response : undefined;
      const others = status === '200' ? contentOf(NEGOTIATED[nameOf(route)] ?? {}, components, true) : {};
      const schema = route.checksFields ? components.writeReply(response) : components.write(response);
      return [status, { description, content: { ...json(schema, example), ...others } }];
    }),
  );
}

/** Other media types of a reply, which clients request with `Accept`. */
const NEGOTIATED: Readonly<Record<string, JsonObject>> = {
  'GET /': { 'text/html': { schema: { type: 'string', description: 'The console.' } } },
  'GET /executions/:id/events': {
    ...tagged(TaggedEventList),
    'text/event-stream': { schema: { type: 'string', description: 'A stream of server-sent events.' } },
  },
  'GET /executions/:id/coordinator-decisions': tagged(TaggedEventList),
  'GET /executions/:id/nodes/:node_id/scoring': tagged(TaggedNodeScoring),
  'GET /executions/:id/nodes/:node_id/reasoning': tagged(TaggedNodeReasoning),
};

function tagged(schema: object): JsonObject {
  return { [TAGGED_JSON]: { schema: schema as JsonObject } };
}

function json(schema: Json, example: Json | undefined): JsonObject {
  return { 'application/json': { schema, ...(example === undefined ? {} : { example }) } };
}

/** Bodies of other media types, in the form in which Fastify routes declare them. */
function contentOf(content: JsonObject, components: Components, ofReply = false): JsonObject {
  return Object.fromEntries(
    Object.entries(content).map(([type, media]) => [
      type,
      isObject(media) && media.schema !== undefined
        ? { ...media, schema: ofReply ? components.writeReply(media.schema) : components.write(media.schema) }
        : media,
    ]),
  );
}
