import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { WorkflowRow } from '../../../store/port/control.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { limitOf } from '../schemas/fields.ts';
import {
  RegisteredWorkflow,
  RegisterWorkflow,
  WORKFLOWS_PAGE,
  WorkflowById,
  WorkflowDetail,
  WorkflowList,
  WorkflowQuery,
  WorkflowsQuery,
  type WorkflowVersion,
} from '../schemas/workflows.ts';
import { type Api, callerOf, identityOf, type Services } from '../services.ts';
import { timestamp } from '../time.ts';

export function workflowRoutes(app: Api, { runtime, store }: Services): void {
  app.post(
    '/workflows',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Register a workflow',
        description:
          'The body is `{"ir": …}` or the document itself. A version may be registered again with other content; running executions keep their revision.',
        tags: ['Workflows'],
        operationId: 'registerWorkflow',
        body: RegisterWorkflow,
        response: { 201: RegisteredWorkflow },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const document = Object.hasOwn(body, 'ir') ? body.ir : body;
      const { workflowId, version, revision, warnings } = await runtime.register(callerOf(request), document);
      void reply.code(201);
      return { workflow_id: workflowId, version, revision, warnings: [...warnings] };
    },
  );

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
        description: 'The latest version unless `version` names another, with the list of all versions.',
        tags: ['Workflows'],
        operationId: 'getWorkflow',
        params: WorkflowById,
        querystring: WorkflowQuery,
        response: { 200: WorkflowDetail },
      },
    },
    async (request) => {
      const { workflow_id } = request.params;
      const { version } = request.query;
      const tenant = store.tenant(identityOf(request).tenantId);
      const row = await tenant.workflow(workflow_id, version);
      if (row === null)
        throw new RuntimeError(
          'not_found',
          `workflow ${truncated(workflow_id)}${version === undefined ? '' : ` v${version}`} not found`,
        );
      const versions = await tenant.versions(workflow_id);
      return { workflow_id, ...versionOf(row), versions: versions.map(versionOf), ir: irOf(row.source) };
    },
  );
}

function versionOf(row: WorkflowRow): WorkflowVersion {
  return { version: row.version, revision: row.revision, registered_at: timestamp(row.registeredAtMs) };
}

/** The document as it was registered, with its nodes as a map even if they were a list. */
function irOf(source: string): JsonObject {
  const ir = JSON.parse(source) as JsonObject;
  if (!Array.isArray(ir.nodes)) return ir;
  const nodes = (ir.nodes as readonly Json[]).filter(isObject);
  return { ...ir, nodes: Object.fromEntries(nodes.map(({ id, ...node }) => [String(id), node])) };
}
