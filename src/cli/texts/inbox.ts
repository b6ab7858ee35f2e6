import type { ApprovalItem } from '../../client/index.ts';
import { shortId } from '../../views/short-id.ts';
import { ago, duration } from '../../views/time.ts';
import type { Paint } from '../terminal/paint.ts';
import { type Column, table } from '../terminal/table.ts';
import { cut, plain, width } from '../terminal/text.ts';

export interface InboxStyle {
  readonly paint: Paint;
  readonly nowMs: number;
  /** Of the terminal; null = lines may be long, and ids are whole. */
  readonly columns: number | null;
}

const PENDING: readonly Column[] = [
  { title: '#', align: 'right' },
  { title: 'ID' },
  { title: 'WORKFLOW' },
  { title: 'NODE' },
  { title: 'WAITS', align: 'right' },
  { title: 'LEFT', align: 'right' },
];
const DECIDED: readonly Column[] = [
  { title: 'ID' },
  { title: 'WORKFLOW' },
  { title: 'NODE' },
  { title: 'DECIDED', align: 'right' },
  { title: 'DECISION' },
  { title: 'BY' },
];
const MAX_NAME = 24;
const MIN_LAST = 16;
const MAX_LAST = 160;

/** An approval of the inbox with its number. */
export interface Numbered {
  readonly number: number;
  readonly approval: ApprovalItem;
}

/** Pending approvals as a numbered table: who waits, since when, until when, and the question. */
export function pendingText(entries: readonly Numbered[], style: InboxStyle): string {
  const rows = entries.map(({ number, approval }) => [
    String(number),
    ...placeOf(approval, style),
    ago(Date.parse(approval.waiting_since), style.nowMs).replace(/ ago$/, ''),
    approval.expires_at === null ? '–' : style.paint.yellow(duration(Math.max(0, Date.parse(approval.expires_at) - style.nowMs))),
  ]);
  return withLast(
    PENDING,
    rows,
    'MESSAGE',
    entries.map(({ approval }) => approval.message),
    style,
  );
}

/** Decisions as a table: which, by whom, when, and the comment. */
export function decidedText(approvals: readonly ApprovalItem[], style: InboxStyle): string {
  const { paint } = style;
  const rows = approvals.map((approval) => [
    ...placeOf(approval, style),
    ago(Date.parse(approval.decided_at ?? ''), style.nowMs),
    approval.status === 'approved' ? paint.green('approved') : paint.red(approval.status),
    cut(plain(approval.user_id ?? ''), MAX_NAME),
  ]);
  return withLast(
    DECIDED,
    rows,
    'COMMENT',
    approvals.map(({ comment }) => comment ?? ''),
    style,
  );
}

function placeOf({ execution_id, workflow_id, node_id }: ApprovalItem, { paint, columns }: InboxStyle): readonly string[] {
  const id = paint.bold(columns === null ? execution_id : shortId(execution_id));
  return [id, cut(plain(workflow_id), MAX_NAME), cut(plain(node_id), MAX_NAME)];
}

/** The table with a last column that is cut to the end of the terminal. */
function withLast(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  title: string,
  last: readonly string[],
  { paint, columns: available }: InboxStyle,
): string {
  const taken = Math.max(...table(columns, rows, paint).split('\n').map(width)) + 2;
  const left = available === null ? MAX_LAST : Math.max(MIN_LAST, available - taken);
  return table(
    [...columns, { title }],
    rows.map((row, at) => [...row, cut(plain(last[at] ?? ''), left)]),
    paint,
  );
}
