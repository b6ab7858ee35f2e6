import { useCallback, useEffect, useReducer, useRef } from 'react';
import type { ApprovalItem } from '../../../../src/client/index.ts';
import {
  changesApprovals,
  decidedInbox,
  hasEnded,
  type InboxOutcome,
  type InboxRow,
  inboxKey,
  refreshedInbox,
} from '../../../../src/views/approval-inbox.ts';
import { useSession } from '../../session/session.ts';
import { defined, useApprovalPages } from './use-approval-pages.ts';

export type PendingRow = InboxRow<ApprovalItem>;

const PAGE_SIZE = 200;
/** Decisions that are looked at to say what became of rows. */
const DECISIONS = 100;
type Decisions = ReadonlyMap<string, InboxOutcome>;
type Change =
  | { readonly read: readonly ApprovalItem[]; readonly isComplete: boolean; readonly decisions: Decisions }
  | { readonly decisions: Decisions };

/** Null = nothing has been read yet. */
type Rows = readonly PendingRow[] | null;

function changed(rows: Rows, change: Change): Rows {
  if ('read' in change) return decidedInbox(refreshedInbox(rows ?? [], change.read, change.isComplete), change.decisions);
  return rows === null ? null : decidedInbox(rows, change.decisions);
}

/** What awaits a decision, and in its place what has ended while the list was shown. */
export function useInbox(workflow: string | undefined) {
  const { client } = useSession();
  const [rows, change] = useReducer(changed, null);
  const pages = useApprovalPages({ status: 'pending', limit: PAGE_SIZE }, workflow, changesApprovals);
  const { data } = pages;
  const shown = useRef(rows);
  shown.current = rows;
  useEffect(() => {
    if (data === undefined) return;
    const { items: read, isComplete } = data;
    const gone = new AbortController();
    const apply = (decisions: Decisions): void => {
      if (!gone.signal.aborted) change({ read, isComplete, decisions });
    };
    const before = shown.current ?? [];
    if (!hasEnded(before, refreshedInbox(before, read, isComplete))) apply(new Map());
    else {
      const query = { status: 'decided', include_state: false, limit: DECISIONS, ...defined({ workflow_id: workflow }) } as const;
      client.approvalInbox(query, { signal: gone.signal }).then(
        ({ approvals }) => apply(new Map(approvals.flatMap(outcomeOf))),
        // The rows have ended all the same; the page says itself what it cannot read.
        () => apply(new Map()),
      );
    }
    return () => gone.abort();
  }, [data, client, workflow]);
  const decided = useCallback((key: string, outcome: InboxOutcome) => change({ decisions: new Map([[key, outcome]]) }), []);
  return { ...pages, rows, decided };
}

function outcomeOf(item: ApprovalItem): [string, InboxOutcome][] {
  return item.status === 'pending' ? [] : [[inboxKey(item), { status: item.status, by: item.user_id ?? null }]];
}
