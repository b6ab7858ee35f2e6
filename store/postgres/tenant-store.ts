import type { QueryResultRow } from 'pg';
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
import type { ExecutionKey } from '../port/resources/keys.ts';
import { MAX_COUNTED_WORK, MAX_WAITING_WORK, type WaitingWork } from '../port/work-items.ts';
import type { ExecutionIds } from '../resources/execution-ids.ts';
import type { Workers } from '../resources/workers.ts';
import { BatchLoader } from './batch-loader.ts';
import type { Connections, Sql, Value } from './connections.ts';
import { ExecutionLists } from './lists/execution-lists.ts';
import * as controlSql from './queries/control.ts';
import * as executionsSql from './queries/executions.ts';
import { WAITING_WORK } from './queries/work.ts';
import { first } from './runtime-reads.ts';

/** Batches lookups, so each tenant should have only one. */
export function tenantStore(tenantId: string, connections: Connections, ids: ExecutionIds, workers: Workers): TenantStore {
  const lists = new ExecutionLists(connections);
  const read = <Row extends QueryResultRow>(statement: Sql, values: readonly Value[]) =>
    connections.asTenant<Row>(tenantId, statement, values);
  const executions = new BatchLoader<ExecutionRow>(async (ids) => {
    const rows = await connections.asTenantByKey<ExecutionRow>(tenantId, executionsSql.TENANT_EXECUTIONS, [tenantId, ids]);
    return new Map(rows.map((row) => [row.id, row]));
  });
  const latest = new BatchLoader<string>(async (ids) => {
    const rows = await connections.asTenantByKey<{ workflowId: string; revision: string }>(
      tenantId,
      controlSql.LATEST_REVISIONS,
      [tenantId, ids],
    );
    return new Map(rows.map(({ workflowId, revision }) => [workflowId, revision]));
  });
  const holders = new BatchLoader<string>(async (names) => {
    const keys = names.map(keyNamed);
    const rows = await connections.asTenantByKey<ExecutionKey & { executionId: string }>(tenantId, executionsSql.KEY_HOLDERS, [
      tenantId,
      keys.map(({ workflowId }) => workflowId),
      keys.map(({ key }) => key),
    ]);
    return new Map(rows.map(({ workflowId, key, executionId }) => [nameOfKey({ workflowId, key }), executionId]));
  });
  return {
    tenantId,
    execution: (id) => executions.get(id),
    executions: (request) => lists.page(tenantId, request),
    countByStatus: (filter) => lists.count(tenantId, filter),
    countExecutions: async (filter) => totalOf(await lists.count(tenantId, filter)),
    searchIds: (search) => ids.search(tenantId, search),
    workflow: async (workflowId, version) =>
      first(
        await (version === undefined
          ? read<WorkflowRow>(controlSql.LATEST_WORKFLOW, [tenantId, workflowId])
          : read<WorkflowRow>(controlSql.WORKFLOW_VERSION, [tenantId, workflowId, version])),
      ),
    revisionOf: async (workflowId, version) => {
      if (version === undefined) return latest.get(workflowId);
      const rows = await read<{ revision: string }>(controlSql.REVISION_OF_VERSION, [tenantId, workflowId, version]);
      return first(rows)?.revision ?? null;
    },
    workflows: ({ limit, offset }) => read<WorkflowVersionRow>(controlSql.LATEST_WORKFLOWS, [tenantId, limit, offset]),
    versions: (workflowId) => read<WorkflowVersionRow>(controlSql.WORKFLOW_VERSIONS, [tenantId, workflowId, MAX_LISTED_VERSIONS]),
    workflowRevisions: (workflowId, { limit, offset }) =>
      read<WorkflowRevisionRow>(controlSql.WORKFLOW_REVISIONS, [tenantId, workflowId, limit, offset]),
    workflowByRevision: (workflowId, prefix) =>
      read<WorkflowRow>(controlSql.WORKFLOW_BY_REVISION, [tenantId, workflowId, prefix]),
    tokens: () => read<TokenRow>(controlSql.TOKENS, [tenantId]),
    workers: (sinceMs) => workers.list(tenantId, sinceMs),
    waitingWork: () => read<WaitingWork>(WAITING_WORK, [tenantId, MAX_COUNTED_WORK, MAX_WAITING_WORK]),
    idempotency: async (scope, key) => first(await read<IdempotencyRow>(controlSql.IDEMPOTENCY_ROW, [tenantId, scope, key])),
    keyHolder: (key) => holders.get(nameOfKey(key)),
  };
}

function nameOfKey({ workflowId, key }: ExecutionKey): string {
  return JSON.stringify([workflowId, key]);
}

function keyNamed(name: string): ExecutionKey {
  const [workflowId, key] = JSON.parse(name) as [string, string];
  return { workflowId, key };
}
