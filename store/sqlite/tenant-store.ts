import type { Database, Statement } from 'better-sqlite3';
import {
  MAX_LISTED_VERSIONS,
  type TokenRow,
  type WorkflowRevisionRow,
  type WorkflowRow,
  type WorkflowVersionRow,
} from '../port/control.ts';
import { totalOf } from '../port/execution-search.ts';
import type { TenantStore } from '../port/execution-store.ts';
import type { ExecutionRow, IdempotencyRow } from '../port/executions.ts';
import type { ExecutionIds } from '../resources/execution-ids.ts';
import type { Workers } from '../resources/workers.ts';
import { guarded } from './errors.ts';
import { ExecutionCounts } from './lists/execution-counts.ts';
import { ExecutionLists } from './lists/execution-lists.ts';
import * as controlSql from './queries/control.ts';
import * as executionsSql from './queries/executions.ts';
import type { WorkItems } from './work.ts';

type WorkflowPage = { readonly tenantId: string; readonly limit: number; readonly offset: number };
type RevisionPage = WorkflowPage & { readonly workflowId: string };
type RevisionPrefix = { readonly tenantId: string; readonly workflowId: string; readonly prefix: string };

/** The statements that all tenants share. */
export class TenantQueries {
  readonly workers: Workers;
  readonly work: WorkItems;
  readonly ids: ExecutionIds;
  readonly lists: ExecutionLists;
  readonly counts: ExecutionCounts;
  readonly execution: Statement<[string, string], ExecutionRow>;
  readonly workflow: Statement<[string, string, string], WorkflowRow>;
  readonly latestWorkflow: Statement<[string, string], WorkflowRow>;
  readonly revisionOfVersion: Statement<[string, string, string], string>;
  readonly latestRevision: Statement<[string, string], string>;
  readonly latestWorkflows: Statement<[WorkflowPage], WorkflowVersionRow>;
  readonly versions: Statement<[string, string, number], WorkflowVersionRow>;
  readonly revisions: Statement<[RevisionPage], WorkflowRevisionRow>;
  readonly byRevision: Statement<[RevisionPrefix], WorkflowRow>;
  readonly tokens: Statement<[string], TokenRow>;
  readonly remembered: Statement<[string, string, string], IdempotencyRow>;
  readonly keyHolder: Statement<[string, string, string], string>;

  constructor(db: Database, ids: ExecutionIds, workers: Workers, work: WorkItems) {
    this.ids = ids;
    this.workers = workers;
    this.work = work;
    this.lists = new ExecutionLists(db);
    this.counts = new ExecutionCounts(db);
    this.execution = db.prepare<[string, string], ExecutionRow>(executionsSql.TENANT_EXECUTION);
    this.workflow = db.prepare<[string, string, string], WorkflowRow>(controlSql.WORKFLOW_VERSION);
    this.latestWorkflow = db.prepare<[string, string], WorkflowRow>(controlSql.LATEST_WORKFLOW);
    this.revisionOfVersion = db.prepare<[string, string, string], string>(controlSql.REVISION_OF_VERSION).pluck();
    this.latestRevision = db.prepare<[string, string], string>(controlSql.LATEST_REVISION).pluck();
    this.latestWorkflows = db.prepare<[WorkflowPage], WorkflowVersionRow>(controlSql.LATEST_WORKFLOWS);
    this.versions = db.prepare<[string, string, number], WorkflowVersionRow>(controlSql.WORKFLOW_VERSIONS);
    this.revisions = db.prepare<[RevisionPage], WorkflowRevisionRow>(controlSql.WORKFLOW_REVISIONS);
    this.byRevision = db.prepare<[RevisionPrefix], WorkflowRow>(controlSql.WORKFLOW_BY_REVISION);
    this.tokens = db.prepare<[string], TokenRow>(controlSql.TOKENS);
    this.remembered = db.prepare<[string, string, string], IdempotencyRow>(controlSql.IDEMPOTENCY_ROW);
    this.keyHolder = db.prepare<[string, string, string], string>(executionsSql.KEY_HOLDER).pluck();
  }
}

export function tenantStore(tenantId: string, queries: TenantQueries): TenantStore {
  return {
    tenantId,
    execution: (id) => guarded(() => queries.execution.get(id, tenantId) ?? null),
    executions: (request) => queries.lists.page(tenantId, request),
    countByStatus: (filter) => queries.counts.count(tenantId, filter),
    countExecutions: async (filter) => totalOf(await queries.counts.count(tenantId, filter)),
    searchIds: (search) => queries.ids.search(tenantId, search),
    workflow: (workflowId, version) =>
      guarded(() => {
        const row =
          version === undefined
            ? queries.latestWorkflow.get(tenantId, workflowId)
            : queries.workflow.get(tenantId, workflowId, version);
        return row ?? null;
      }),
    revisionOf: (workflowId, version) =>
      guarded(() => {
        const hash =
          version === undefined
            ? queries.latestRevision.get(tenantId, workflowId)
            : queries.revisionOfVersion.get(tenantId, workflowId, version);
        return hash ?? null;
      }),
    workflows: (page) => guarded(() => queries.latestWorkflows.all({ tenantId, limit: page.limit, offset: page.offset })),
    versions: (workflowId) => guarded(() => queries.versions.all(tenantId, workflowId, MAX_LISTED_VERSIONS)),
    workflowRevisions: (workflowId, page) =>
      guarded(() => queries.revisions.all({ tenantId, workflowId, limit: page.limit, offset: page.offset })),
    workflowByRevision: (workflowId, prefix) => guarded(() => queries.byRevision.all({ tenantId, workflowId, prefix })),
    tokens: () => guarded(() => queries.tokens.all(tenantId)),
    workers: (sinceMs) => queries.workers.list(tenantId, sinceMs),
    waitingWork: () => queries.work.waiting(tenantId),
    idempotency: (scope, key) => guarded(() => queries.remembered.get(tenantId, scope, key) ?? null),
    keyHolder: ({ workflowId, key }) => guarded(() => queries.keyHolder.get(tenantId, workflowId, key) ?? null),
  };
}
