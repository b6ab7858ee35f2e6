import type { WorkflowRow } from '../../../store/port/control.ts';
import type { TenantStore } from '../../../store/port/execution-store.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';

/** The version or revision that a request names, else the one registered last. Throws `not_found`, `conflict`, `bad_request`. */
export async function storedWorkflow(
  tenant: TenantStore,
  workflowId: string,
  { version, revision }: { readonly version?: string | undefined; readonly revision?: string | undefined },
): Promise<WorkflowRow> {
  if (version !== undefined && revision !== undefined)
    throw new RuntimeError('bad_request', 'give version or revision, not both');
  const row =
    revision === undefined
      ? await tenant.workflow(workflowId, version)
      : soleRevision(workflowId, revision, await tenant.workflowByRevision(workflowId, revision));
  if (row !== null) return row;
  const which = version === undefined ? (revision === undefined ? '' : ` revision ${revision}`) : ` v${version}`;
  throw new RuntimeError('not_found', `workflow ${truncated(workflowId)}${which} not found`);
}

function soleRevision(workflowId: string, revision: string, rows: readonly WorkflowRow[]): WorkflowRow | null {
  const [row = null, other] = rows;
  if (other !== undefined)
    throw new RuntimeError('conflict', `several revisions of workflow ${truncated(workflowId)} begin with ${revision}`);
  return row;
}
