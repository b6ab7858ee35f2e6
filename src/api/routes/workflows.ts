import type { FastifyRequest } from 'fastify';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { WorkflowRevisionRow, WorkflowVersionRow } from '../../../store/port/control.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import {
  RegisteredWorkflow,
  RegisterWorkflow,
  RevisionsQuery,
  WORKFLOWS_PAGE,
  WorkflowById,
  WorkflowDetail,
  WorkflowList,
  WorkflowQuery,
  WorkflowRevisions,
  WorkflowsQuery,
  type WorkflowVersion,
} from '../operations/workflows.ts';
import { storedWorkflow } from '../requests/stored-workflow.ts';
import { reportFieldsBeside } from '../requests/warnings.ts';
import { YamlBody, YamlWorkflows } from '../requests/yaml.ts';
import { limitOf } from '../schemas/fields.ts';
import { type Api, callerOf, identityOf, type Services } from '../services.ts';
import { timestamp } from '../time.ts';

export function workflowRoutes(app: Api, { runtime, store }: Services): void {
  const yaml = new YamlWorkflows();

  app.post(
    '/workflows',
    {
      config: { access: 'write', acceptsYaml: true },
      schema: {
        summary: 'Register a workflow',
        description:
          'The body is `{"ir": …}` or the document itself; with `Content-Type: application/yaml`, a workflow file. A version may be registered again with other content; running executions keep their revision.',
        tags: ['Workflows'],
        operationId: 'registerWorkflow',
        body: RegisterWorkflow,
        response: { 201: RegisteredWorkflow },
      },
    },
    async (request, reply) => {
      const { body } = request;
      void reply.code(201);
      if (!(body instanceof YamlBody)) {
        const isWrapped = Object.hasOwn(body, 'ir');
        if (isWrapped) reportFieldsBeside(request, reply, ['ir']);
        return register(request, isWrapped ? body.ir : body);
      }
      const { documents, warnings } = await yaml.compile(identityOf(request).tenantId, body);
      const registered: RegisteredWorkflow[] = [];
      for (const document of documents) registered.push(await register(request, document));
      const [first, ...others] = registered.map((one, i) => ({
        ...one,
        warnings: merged(i === 0 ? warnings : [], one.warnings),
      }));
      if (first === undefined) throw new Error('internal error: a valid workflow file without workflows');
      return others.length === 0 ? first : { ...first, workflows: [first, ...others] };
    },
  );

  async function register(request: FastifyRequest, document: unknown): Promise<RegisteredWorkflow> {
    const { workflowId, version, revision, warnings } = await runtime.register(callerOf(request), document);
    return { workflow_id: workflowId, version, revision, warnings: [...warnings] };
  }

  app.get(
    '/workflows',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List workflows',
        tags: ['Workflows'],
        operationId: 'listWorkflows',
        querystring: WorkflowsQuery,
        response: { 200: WorkflowList },
      },
    },
    async (request) => {
      const page = { limit: limitOf(request.query.limit, WORKFLOWS_PAGE), offset: request.query.offset ?? 0 };
      const rows = await store.tenant(identityOf(request).tenantId).workflows(page);
      return { workflows: rows.map((row) => ({ workflow_id: row.workflowId, ...versionOf(row) })), ...page };
    },
  );

  app.get(
    '/workflows/:workflow_id',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Get a workflow',
        description:
          'The latest version unless `version` or `revision` names another, with the list of its versions, the last 1,000. 409 if several revisions begin with the given digits.',
        tags: ['Workflows'],
        operationId: 'getWorkflow',
        params: WorkflowById,
        querystring: WorkflowQuery,
        response: { 200: WorkflowDetail },
      },
    },
    async (request) => {
      const { workflow_id } = request.params;
      const tenant = store.tenant(identityOf(request).tenantId);
      const row = await storedWorkflow(tenant, workflow_id, request.query);
      const versions = await tenant.versions(workflow_id);
      return { workflow_id, ...versionOf(row), versions: versions.map(versionOf), ir: irOf(row.source) };
    },
  );

  app.get(
    '/workflows/:workflow_id/revisions',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the revisions of a workflow',
        description: 'What was registered under its versions, when and by whom, also what is no longer current.',
        tags: ['Workflows'],
        operationId: 'listWorkflowRevisions',
        params: WorkflowById,
        querystring: RevisionsQuery,
        response: { 200: WorkflowRevisions },
      },
    },
    async (request) => {
      const { workflow_id } = request.params;
      const page = { limit: limitOf(request.query.limit, WORKFLOWS_PAGE), offset: request.query.offset ?? 0 };
      const tenant = store.tenant(identityOf(request).tenantId);
      const rows = await tenant.workflowRevisions(workflow_id, page);
      if (rows.length === 0 && (await tenant.revisionOf(workflow_id)) === null)
        throw new RuntimeError('not_found', `workflow ${truncated(workflow_id)} not found`);
      return { workflow_id, revisions: rows.map(revisionOf), ...page };
    },
  );
}

function revisionOf(row: WorkflowRevisionRow): WorkflowRevisions['revisions'][number] {
  return {
    version: row.version,
    revision: row.revision,
    current: row.isCurrent === 1,
    first_registered_at: timestamp(row.firstRegisteredAtMs),
    first_registered_by: row.firstRegisteredBy,
    registered_at: timestamp(row.registeredAtMs),
    registered_by: row.registeredBy,
  };
}

/** Both lists, what they share once: the compiler finds again what the authoring code has found with its place. */
function merged(
  placed: readonly RegisteredWorkflow['warnings'][number][],
  found: RegisteredWorkflow['warnings'],
): RegisteredWorkflow['warnings'] {
  const known = new Set(placed.map(({ code, message }) => `${code} ${message}`));
  return [...placed, ...found.filter(({ code, message }) => !known.has(`${code} ${message}`))];
}

function versionOf(row: WorkflowVersionRow): WorkflowVersion {
  return {
    version: row.version,
    revision: row.revision,
    registered_at: timestamp(row.registeredAtMs),
    registered_by: row.registeredBy,
  };
}

/** The document as it was registered, with its nodes as a map even if they were a list. */
function irOf(source: string): JsonObject {
  const ir = JSON.parse(source) as JsonObject;
  if (!Array.isArray(ir.nodes)) return ir;
  const nodes = (ir.nodes as readonly Json[]).filter(isObject);
  return { ...ir, nodes: Object.fromEntries(nodes.map(({ id, ...node }) => [String(id), node])) };
}
