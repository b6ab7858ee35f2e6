import type { ApprovalItem, TenantChange } from '../../../../src/client/index.ts';
import { type ReadPages, useLivePages } from '../../live/use-live-pages.ts';
import { useSession } from '../../session/session.ts';

interface Selection {
  readonly status: 'pending' | 'decided';
  /** Approvals of one page. */
  readonly limit: number;
}

/** Approvals of all executions, without the states for review. `workflow`: undefined = of all workflows. */
export function useApprovalPages(
  selection: Selection,
  workflow: string | undefined,
  changedBy: (event: TenantChange['event']) => boolean,
): ReadPages<ApprovalItem> {
  const { client } = useSession();
  return useLivePages({
    queryKey: ['approvals', selection.status, workflow ?? null],
    readPage: async (cursor, signal) => {
      const query = { ...selection, include_state: false, ...defined({ workflow_id: workflow, cursor }) };
      const { approvals, next_cursor } = await client.approvalInbox(query, { signal });
      return { items: approvals, next: next_cursor };
    },
    changedBy,
  });
}

/** Without the values that are undefined. */
export function defined<Value>(values: Readonly<Record<string, Value | undefined>>): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined));
}
