import { type PendingApproval, type Run, TERMINAL } from '../../../../machines/run.ts';
import { approvalsOf } from '../../../../machines/step/index.ts';
import type { EventRow } from '../../../../store/port/executions.ts';
import type { ApprovalRow, ApprovalWrite } from '../../../../store/port/resources/approvals.ts';
import type { ExecutionStart } from '../envelope.ts';
import type { CachedExecution } from '../loading/cached-execution.ts';

type Entry = Omit<ApprovalRow, 'executionId' | 'tenantId'>;

const ASKING: ReadonlySet<string> = new Set(['interrupt_raised', 'tool_approval_required']);

/**
 * What a commit changes in the list of approvals: those that are asked for, decided, or withdrawn because their node waits no longer. The
 * history that a fork copies lists none: its decisions were made in the other execution.
 */
export function approvalWrites(
  before: CachedExecution | null,
  base: CachedExecution | ExecutionStart,
  run: Run,
  events: readonly EventRow[],
): readonly ApprovalWrite[] {
  const known = new Map(before === null ? [] : openApprovals(before, before.run).map((entry) => [entry.seq, entry]));
  const open = new Map(openApprovals(base, run).map((entry) => [entry.seq, entry]));
  const all = new Map([...known, ...open]);
  const decided = new Map<number, Entry>();
  const copied = 'copiedHistory' in base ? (base.copiedHistory?.events.at(-1)?.seq ?? 0) : 0;
  for (const event of events) {
    if (event.seq <= copied || event.nodeId === null) continue;
    if (ASKING.has(event.type) && !all.has(event.seq)) all.set(event.seq, askedBy(event, event.nodeId, base.identity.workflowId));
    if (event.type !== 'approval_received') continue;
    const asked = [...all.values()].filter((entry) => isAnswered(entry, event) && !decided.has(entry.seq));
    const last = asked.reduce<Entry | null>(
      (latest, entry) => (latest === null || entry.seq > latest.seq ? entry : latest),
      null,
    );
    if (last !== null) decided.set(last.seq, { ...last, decidedAtMs: event.atMs, decidedSeq: event.seq });
  }
  const put = (entry: Entry): ApprovalWrite => ({ op: 'put', ...entry });
  return [
    ...[...open.values()].filter((entry) => !isListed(known.get(entry.seq), entry) && !decided.has(entry.seq)).map(put),
    ...[...decided.values()].map(put),
    ...[...known.keys()].filter((seq) => !open.has(seq) && !decided.has(seq)).map((seq) => ({ op: 'remove', seq }) as const),
  ];
}

/** Is the event a decision on what the entry asked? */
function isAnswered({ nodeId, item, seq }: Entry, event: EventRow): boolean {
  return nodeId === event.nodeId && item === (event.data.item ?? null) && seq < event.seq;
}

/** Has the entry been written as it is? A wait that was begun anew has another time. */
function isListed(known: Entry | undefined, { requestedAtMs, expiresAtMs }: Entry): boolean {
  return known?.requestedAtMs === requestedAtMs && known.expiresAtMs === expiresAtMs;
}

/** The open approvals of an execution as rows of the list. */
export function openApprovals(
  { loaded, identity: { workflowId } }: Pick<CachedExecution, 'loaded' | 'identity'>,
  run: Run,
): readonly Entry[] {
  if (TERMINAL.has(run.status)) return [];
  return approvalsOf(loaded.program, run).map((approval) => ({
    workflowId,
    seq: approval.sequence,
    nodeId: approval.node_id,
    activation: approval.activation,
    item: approval.item ?? null,
    requestedAtMs: approval.requested_at_ms,
    expiresAtMs: expiryOf(approval),
    decidedAtMs: null,
    decidedSeq: null,
  }));
}

function expiryOf({ context: { timeout_at } }: PendingApproval): number | null {
  return typeof timeout_at === 'string' ? Date.parse(timeout_at) : null;
}

/** Asked for and decided in one commit. */
function askedBy({ seq, atMs, data }: EventRow, nodeId: string, workflowId: string): Entry {
  const activation = typeof data.activation === 'number' ? data.activation : 1;
  const item = typeof data.item === 'number' ? data.item : null;
  return {
    workflowId,
    seq,
    nodeId,
    activation,
    item,
    requestedAtMs: atMs,
    expiresAtMs: null,
    decidedAtMs: null,
    decidedSeq: null,
  };
}
