import type { Diagnostic } from '../../../machines/diagnostics.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { Verbatim } from '../operations/codec.ts';
import { WORKFLOWS, WORKFLOWS_PAGE } from '../operations/workflows.ts';
import { storedWorkflow } from '../requests/stored-workflow.ts';
import { reportFieldsBeside } from '../requests/warnings.ts';
import { YamlBody, YamlWorkflows } from '../requests/yaml.ts';
import { limitOf } from '../schemas/fields.ts';
import { implement } from './implement.ts';

const yaml = new YamlWorkflows();

export const workflowRoutes = implement(WORKFLOWS, {
  'POST /workflows': async ({ body, caller, tenantId, request, reply }, { runtime }) => {
    if (!(body instanceof YamlBody)) {
      const isWrapped = Object.hasOwn(body, 'ir');
      if (isWrapped) reportFieldsBeside(request, reply, ['ir']);
      const { warnings, ...registered } = await runtime.register(caller, isWrapped ? body.ir : body);
      return { ...registered, warnings: new Verbatim(warnings) };
    }
    const { documents, warnings: placed } = await yaml.compile(tenantId, body);
    const registered = [];
    for (const document of documents) {
      const { warnings, ...one } = await runtime.register(caller, document);
      registered.push({ ...one, warnings: new Verbatim(merged(registered.length === 0 ? placed : [], warnings)) });
    }
    const [first, ...others] = registered;
    if (first === undefined) throw new Error('internal error: a valid workflow file without workflows');
    return others.length === 0 ? first : { ...first, workflows: registered };
  },

  'GET /workflows': async ({ query, tenantId }, { store }) => {
    const page = { limit: limitOf(query.limit, WORKFLOWS_PAGE), offset: query.offset ?? 0 };
    return { workflows: await store.tenant(tenantId).workflows(page), ...page };
  },

  'GET /workflows/:workflow_id': async ({ params: { workflowId }, query, tenantId }, { store }) => {
    const tenant = store.tenant(tenantId);
    const row = await storedWorkflow(tenant, workflowId, query);
    return { ...row, workflowId, versions: await tenant.versions(workflowId), ir: irOf(row.source) };
  },

  'GET /workflows/:workflow_id/revisions': async ({ params: { workflowId }, query, tenantId }, { store }) => {
    const page = { limit: limitOf(query.limit, WORKFLOWS_PAGE), offset: query.offset ?? 0 };
    const tenant = store.tenant(tenantId);
    const rows = await tenant.workflowRevisions(workflowId, page);
    if (rows.length === 0 && (await tenant.revisionOf(workflowId)) === null)
      throw new RuntimeError('not_found', `workflow ${truncated(workflowId)} not found`);
    return { workflowId, revisions: rows.map((row) => ({ ...row, current: row.isCurrent === 1 })), ...page };
  },
});

/** Both lists, what they share once: the compiler finds again what the authoring code has found with its place. */
function merged(placed: readonly Diagnostic[], found: readonly Diagnostic[]): readonly Diagnostic[] {
  const known = new Set(placed.map(({ code, message }) => `${code} ${message}`));
  return [...placed, ...found.filter(({ code, message }) => !known.has(`${code} ${message}`))];
}

/** The document as it was registered, with its nodes as a map even if they were a list. */
function irOf(source: string): JsonObject {
  const ir = JSON.parse(source) as JsonObject;
  if (!Array.isArray(ir.nodes)) return ir;
  const nodes = (ir.nodes as readonly Json[]).filter(isObject);
  return { ...ir, nodes: Object.fromEntries(nodes.map(({ id, ...node }) => [String(id), node])) };
}
