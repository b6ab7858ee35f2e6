import type { EventType } from '../../machines/events/index.ts';

/** Types of events after which the list of pending approvals may have changed. */
export const APPROVAL_CHANGES = [
  'interrupt_raised',
  'tool_approval_required',
  'approval_received',
  'node_cancelled',
  'timer_fired',
  'workflow_cancelled',
  'workflow_failed',
] as const satisfies readonly EventType[];

const CHANGES: ReadonlySet<string> = new Set(APPROVAL_CHANGES);

/** Whether the list of pending approvals may have changed by an event. */
export function changesApprovals({ type }: { readonly type: string }): boolean {
  return CHANGES.has(type);
}

/** What the inbox needs to know of a pending approval; those of the API have it. */
export interface InboxItem {
  readonly execution_id: string;
  readonly node_id: string;
  readonly sequence: number;
  /** RFC 3339. */
  readonly waiting_since: string;
}

/** Why an approval is no longer pending. `ended`: it timed out, its node was cancelled, or the decision is not known. */
export interface InboxOutcome {
  readonly status: 'approved' | 'rejected' | 'ended';
  /** Who decided; null = not known. */
  readonly by: string | null;
}

export interface InboxRow<Item extends InboxItem> {
  readonly key: string;
  readonly item: Item;
  /** Null = it is pending. */
  readonly outcome: InboxOutcome | null;
}

/** Rows that are kept after their end, so that a list under the eyes of a person does not jump. */
const MAX_ENDED = 50;

export function inboxKey({ execution_id, sequence }: Pick<InboxItem, 'execution_id' | 'sequence'>): string {
  return `${execution_id}:${sequence}`;
}

/** Whether a row that was pending has ended, as the list that was read again says. */
export function hasEnded<Item extends InboxItem>(before: readonly InboxRow<Item>[], after: readonly InboxRow<Item>[]): boolean {
  const pending = new Set(before.filter(({ outcome }) => outcome === null).map(({ key }) => key));
  return after.some(({ key, outcome }) => outcome !== null && pending.has(key));
}

/**
 * The list after it was read again: what is pending now, and in its place what was pending and is no longer. `isComplete`: nothing follows
 * `pending` in the server's list.
 */
export function refreshedInbox<Item extends InboxItem>(
  rows: readonly InboxRow<Item>[],
  pending: readonly Item[],
  isComplete: boolean,
): readonly InboxRow<Item>[] {
  const now = new Map(pending.map((item) => [inboxKey(item), item]));
  const last = pending.at(-1);
  const wasRead = (item: Item): boolean => isComplete || (last !== undefined && compare(item, last) <= 0);
  const ended = rows
    .filter(({ key, item }) => !now.has(key) && wasRead(item))
    .map((row): InboxRow<Item> => ({ ...row, outcome: row.outcome ?? { status: 'ended', by: null } }))
    .slice(-MAX_ENDED);
  const known = new Map(rows.map((row) => [row.key, row]));
  const current = [...now].map(([key, item]): InboxRow<Item> => {
    const before = known.get(key);
    // The list may have been read before a decision that is known already.
    return before === undefined ? { key, item, outcome: null } : { ...before, item };
  });
  return [...ended, ...current].sort((a, b) => compare(a.item, b.item));
}

/** The list after decisions, by the keys of their rows; the server's list may not have them yet. */
export function decidedInbox<Item extends InboxItem>(
  rows: readonly InboxRow<Item>[],
  decisions: ReadonlyMap<string, InboxOutcome>,
): readonly InboxRow<Item>[] {
  return rows.map((row) => {
    const outcome = decisions.get(row.key);
    return outcome === undefined ? row : { ...row, outcome };
  });
}

/** The longest wait first, as the server lists them. */
function compare(a: InboxItem, b: InboxItem): number {
  return (
    Date.parse(a.waiting_since) - Date.parse(b.waiting_since) ||
    (a.execution_id < b.execution_id ? -1 : a.execution_id > b.execution_id ? 1 : a.sequence - b.sequence)
  );
}
