import type { LiveModel } from '../../views/live-model.ts';
import { clock, duration } from '../../views/time.ts';
import type { Size } from '../terminal/full-screen.ts';
import { paintStatus } from '../terminal/status.ts';
import { count, cut, cutPainted, plain, width } from '../terminal/text.ts';
import { renderEntry } from '../texts/timeline.ts';
import type { Controls } from './controls.ts';
import { detailLines } from './detail.ts';
import { lineText } from './input-line.ts';
import { type Painter, rowText } from './row-text.ts';
import { wrapWords } from './wrap.ts';

/** What stands still about the execution. */
export interface WatchedExecution {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly startedAtMs: number;
}

export interface FrameState {
  readonly subject: WatchedExecution;
  readonly model: LiveModel;
  readonly controls: Controls;
  /** Index of the row that is selected while nobody selects another. */
  readonly current: number;
  /** `widestOf` the rows. */
  readonly maxRowWidth: number;
  /** Null while it goes on. */
  readonly endedAtMs: number | null;
  /** What is wrong with the connection; '' = nothing. */
  readonly trouble: string;
}

/** Below these heights parts are left out, those that matter least first. */
const SPACIOUS_ROWS = 18;
const COMPACT_ROWS = 12;
const MIN_EVENT_ROWS = 8;
const MAX_APPROVALS = 3;
/** Lines of a question. */
const MAX_QUESTION_LINES = 3;

/** What is left of the keys where they do not fit. */
const KEYS_SHORT = 'a/r decide e event p/u hold c cancel q';

const KEYS: Readonly<Record<'browsing' | 'reading' | 'typing' | 'confirming' | 'over', string>> = {
  browsing: '↑↓ ⏎ details  a approve  r reject  e event  p pause  u resume  c cancel  q quit',
  reading: '↑↓ scroll  esc back',
  typing: '⏎ go on  esc leave it',
  confirming: 'y yes  any other key: no',
  over: 'it has ended: any key leaves  ↑↓ select  ⏎ details',
};

/** The screen: at most `rows` lines, each within `columns`. */
export function frame(state: FrameState, { rows, columns }: Size, painter: Painter): readonly string[] {
  const { model, controls } = state;
  const { paint } = painter;
  const top = header(state, rows, painter);
  const allKeys = controls.mode.is === 'browsing' && model.over ? KEYS.over : KEYS[controls.mode.is];
  const keys = allKeys === KEYS.browsing && width(allKeys) > columns ? KEYS_SHORT : allKeys;
  const bottom = [prompt(state, columns, painter), paint.dim(cut(keys, columns))];
  const middleRows = Math.max(0, rows - top.length - bottom.length);
  const middle =
    controls.mode.is === 'reading'
      ? details(state, controls.mode.from, { rows: middleRows, columns }, painter)
      : body(state, { rows: middleRows, columns }, painter);
  const filled = [...middle, ...Array<string>(Math.max(0, middleRows - middle.length)).fill('')];
  return [...top, ...filled, ...bottom].slice(0, rows).map((line) => cutPainted(line, columns));
}

/** How far the details of the selected node can be scrolled. */
export function maxDetailScroll(state: FrameState, { rows, columns }: Size, painter: Painter): number {
  const row = state.model.rows[state.controls.selected ?? state.current];
  const rowsLeft = rows - header(state, rows, painter).length - 2;
  return row === undefined ? 0 : Math.max(0, detailLines(row, state.model, columns, painter).length - rowsLeft);
}

function header({ subject, model, endedAtMs, trouble }: FrameState, rows: number, { paint, nowMs }: Painter): readonly string[] {
  const took = duration(Math.max(0, (endedAtMs ?? nowMs) - subject.startedAtMs));
  const reason = model.suspendedReason === '' ? '' : `: ${plain(model.suspendedReason)}`;
  const held = model.suspended ? `  ${paint.yellow(`held${reason}`)}` : '';
  const name = `${paint.bold(plain(subject.workflow))} ${plain(subject.version)}`;
  const lines = [`${name}  ${paintStatus(model.status, paint)}${held}  ${paint.dim(took)}`];
  if (rows >= COMPACT_ROWS) lines.push(paint.dim(`${subject.id}  ${count(model.statuses.sequence, 'event')}`));
  if (trouble !== '') lines.push(paint.yellow(`! ${trouble}`));
  else if (model.error !== '') lines.push(paint.red(plain(model.error)));
  return rows >= SPACIOUS_ROWS ? [...lines, ''] : lines;
}

function body(state: FrameState, { rows, columns }: Size, painter: Painter): readonly string[] {
  const approvals = approvalsText(state, { rows, columns }, painter);
  const freeRows = rows - state.model.rows.length - approvals.length;
  const events = eventsText(state, { rows, columns }, freeRows, painter);
  const outlineRows = Math.max(1, rows - approvals.length - events.length);
  return [...outlineText(state, { rows: outlineRows, columns }, painter), ...approvals, ...events];
}

/** The part of the outline around the selected row. */
function outlineText(
  { model, controls, current, maxRowWidth }: FrameState,
  { rows, columns }: Size,
  painter: Painter,
): readonly string[] {
  const selected = controls.selected ?? current;
  const first = Math.max(0, Math.min(model.rows.length - rows, selected - Math.floor(rows / 2)));
  return model.rows
    .slice(first, first + rows)
    .map((row, at) => rowText(row, model, { selected: first + at === selected, columns, widest: maxRowWidth }, painter));
}

function approvalsText({ model }: FrameState, { rows, columns }: Size, { paint }: Painter): readonly string[] {
  const { approvals } = model;
  if (approvals.length === 0) return [];
  const small = rows < COMPACT_ROWS;
  const shown = approvals.slice(0, small ? 1 : MAX_APPROVALS);
  const lines = shown.flatMap(({ node, question }) => {
    const all = wrapWords(`${plain(node)}: ${plain(question)}`, columns - 2);
    const most = small ? 1 : MAX_QUESTION_LINES;
    const lines = [...all.slice(0, most - 1), ...(all.length < most ? [] : [cut(all.slice(most - 1).join(' '), columns - 2)])];
    return lines.map((line, at) => `${at === 0 ? paint.yellow('◆') : ' '} ${line}`);
  });
  if (approvals.length > shown.length) lines.push(paint.dim(`  and ${approvals.length - shown.length} more`));
  return small ? lines : ['', ...lines];
}

/** The last events: some beside a long outline, more where it leaves rows free. */
function eventsText(
  { model, maxRowWidth }: FrameState,
  { rows, columns }: Size,
  freeRows: number,
  { paint }: Painter,
): readonly string[] {
  const lines = Math.max(freeRows - 1, rows < COMPACT_ROWS ? 0 : Math.min(MIN_EVENT_ROWS, Math.floor(rows / 4)));
  if (lines <= 0 || model.entries.length === 0) return [];
  const nodeWidth = Math.max(8, Math.min(maxRowWidth, Math.floor(columns / 4)));
  return [
    '',
    ...model.entries
      .slice(-lines)
      .map(({ atMs, entry }) => `${columns < 60 ? '' : paint.dim(clock(atMs))}${renderEntry(entry, nodeWidth, paint)}`),
  ];
}

function details(
  { model, controls, current }: FrameState,
  from: number,
  { rows, columns }: Size,
  painter: Painter,
): readonly string[] {
  const row = model.rows[controls.selected ?? current];
  if (row === undefined) return [];
  const lines = detailLines(row, model, columns, painter);
  const first = Math.min(from, Math.max(0, lines.length - rows));
  return lines.slice(first, first + rows);
}

/** The line above the keys: what is asked, or what came of the last key. */
function prompt({ controls: { mode, notice } }: FrameState, columns: number, { paint }: Painter): string {
  const remark = notice === '' ? '' : `  ${paint.yellow(plain(notice))}`;
  if (mode.is === 'confirming') return `${paint.yellow('?')} ${plain(mode.question)} ${paint.dim('(y/n)')}`;
  if (mode.is !== 'typing') return notice === '' ? '' : paint.yellow(plain(notice));
  const { purpose, line } = mode;
  const label =
    purpose.of === 'comment'
      ? `${purpose.decision === 'approved' ? 'Approve' : 'Reject'} ${plain(purpose.node)}, comment (may be empty):`
      : purpose.of === 'key'
        ? 'Event, its correlation key:'
        : `Payload of ${plain(purpose.key)}, JSON:`;
  const shown = cut(label, Math.max(8, Math.floor(columns / 2)));
  return `${paint.yellow('?')} ${shown} ${lineText(line, Math.max(8, columns - shown.length - 4))}${remark}`;
}
