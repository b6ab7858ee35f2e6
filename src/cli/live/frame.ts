import type { LiveModel } from '../../views/live-model.ts';
import { clock, duration } from '../../views/time.ts';
import type { Dimensions } from '../terminal/dimensions.ts';
import { paintStatus } from '../terminal/status.ts';
import { count, cut, cutPainted, plain, width } from '../terminal/text.ts';
import { wrapWords } from '../terminal/wrap.ts';
import { renderEntry } from '../texts/timeline.ts';
import type { Controls } from './controls.ts';
import { detailLines } from './detail.ts';
import { lineText } from './input-line.ts';
import { type Painter, rowText } from './row-text.ts';

/** Fixed properties of the watched execution. */
export interface WatchedExecution {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly startedAtMs: number;
}

export interface FrameState {
  readonly execution: WatchedExecution;
  readonly model: LiveModel;
  readonly controls: Controls;
  /** Index of the selected row if the user has not selected one. */
  readonly defaultRow: number;
  /** `maxRowWidth` of the rows. */
  readonly maxRowWidth: number;
  /** Null until the execution ends. */
  readonly endedAtMs: number | null;
  /** Shown if the server is unreachable; '' otherwise. */
  readonly connectionProblem: string;
}

/** Terminal heights below which parts are left out, the least important first. */
const SPACIOUS_ROWS = 18;
const COMPACT_ROWS = 12;
const MIN_EVENT_ROWS = 8;
const MAX_APPROVALS = 3;
/** Maximum number of lines of an approval question. */
const MAX_QUESTION_LINES = 3;

/** The keys in short, for narrow terminals. */
const KEYS_SHORT = 'a/r decide e event p/u pause c cancel q';

const KEYS: Readonly<Record<'browsing' | 'reading' | 'typing' | 'confirming' | 'ended', string>> = {
  browsing: '↑↓ ⏎ details  a approve  r reject  e event  p pause  u resume  c cancel  q quit',
  reading: '↑↓ scroll  esc back',
  typing: '⏎ continue  esc cancel',
  confirming: 'y yes  any other key: no',
  ended: 'ended: any key quits  ↑↓ select  ⏎ details',
};

/** The lines of the screen: at most `rows`, each at most `columns` wide. */
export function frame(state: FrameState, { rows, columns }: Dimensions, painter: Painter): readonly string[] {
  const { model, controls } = state;
  const { paint } = painter;
  const top = header(state, rows, painter);
  const allKeys = controls.mode.type === 'browsing' && model.ended ? KEYS.ended : KEYS[controls.mode.type];
  const keys = allKeys === KEYS.browsing && width(allKeys) > columns ? KEYS_SHORT : allKeys;
  const bottom = [prompt(state, columns, painter), paint.dim(cut(keys, columns))];
  const middleRows = Math.max(0, rows - top.length - bottom.length);
  const middle =
    controls.mode.type === 'reading'
      ? details(state, controls.mode.from, { rows: middleRows, columns }, painter)
      : body(state, { rows: middleRows, columns }, painter);
  const filled = [...middle, ...Array<string>(Math.max(0, middleRows - middle.length)).fill('')];
  return [...top, ...filled, ...bottom].slice(0, rows).map((line) => cutPainted(line, columns));
}

/** The maximum scroll offset of the details of the selected node. */
export function maxDetailScroll(state: FrameState, { rows, columns }: Dimensions, painter: Painter): number {
  const row = state.model.rows[state.controls.selected ?? state.defaultRow];
  const rowsLeft = rows - header(state, rows, painter).length - 2;
  return row === undefined ? 0 : Math.max(0, detailLines(row, state.model, columns, painter).length - rowsLeft);
}

function header(
  { execution, model, endedAtMs, connectionProblem }: FrameState,
  rows: number,
  { paint, nowMs }: Painter,
): readonly string[] {
  const took = duration(Math.max(0, (endedAtMs ?? nowMs) - execution.startedAtMs));
  const reason = model.suspendedReason === '' ? '' : `: ${plain(model.suspendedReason)}`;
  const suspended = model.suspended ? `  ${paint.yellow(`suspended${reason}`)}` : '';
  const name = `${paint.bold(plain(execution.workflow))} ${plain(execution.version)}`;
  const lines = [`${name}  ${paintStatus(model.status, paint)}${suspended}  ${paint.dim(took)}`];
  if (rows >= COMPACT_ROWS) lines.push(paint.dim(`${execution.id}  ${count(model.overlay.sequence, 'event')}`));
  if (connectionProblem !== '') lines.push(paint.yellow(`! ${connectionProblem}`));
  else if (model.error !== '') lines.push(paint.red(plain(model.error)));
  return rows >= SPACIOUS_ROWS ? [...lines, ''] : lines;
}

function body(state: FrameState, { rows, columns }: Dimensions, painter: Painter): readonly string[] {
  const approvals = approvalsText(state, { rows, columns }, painter);
  const freeRows = rows - state.model.rows.length - approvals.length;
  const events = eventsText(state, { rows, columns }, freeRows, painter);
  const outlineRows = Math.max(1, rows - approvals.length - events.length);
  return [...outlineText(state, { rows: outlineRows, columns }, painter), ...approvals, ...events];
}

/** The part of the outline around the selected row. */
function outlineText(
  { model, controls, defaultRow, maxRowWidth }: FrameState,
  { rows, columns }: Dimensions,
  painter: Painter,
): readonly string[] {
  const selected = controls.selected ?? defaultRow;
  const first = Math.max(0, Math.min(model.rows.length - rows, selected - Math.floor(rows / 2)));
  return model.rows
    .slice(first, first + rows)
    .map((row, at) => rowText(row, model, { selected: first + at === selected, columns, widest: maxRowWidth }, painter));
}

function approvalsText({ model }: FrameState, { rows, columns }: Dimensions, { paint }: Painter): readonly string[] {
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

/** The latest events; more of them if the outline leaves rows free. */
function eventsText(
  { model, maxRowWidth }: FrameState,
  { rows, columns }: Dimensions,
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
      .map((entry) => `${columns < 60 ? '' : paint.dim(clock(entry.atMs))}${renderEntry(entry, nodeWidth, paint)}`),
  ];
}

function details(
  { model, controls, defaultRow }: FrameState,
  from: number,
  { rows, columns }: Dimensions,
  painter: Painter,
): readonly string[] {
  const row = model.rows[controls.selected ?? defaultRow];
  if (row === undefined) return [];
  const lines = detailLines(row, model, columns, painter);
  const first = Math.min(from, Math.max(0, lines.length - rows));
  return lines.slice(first, first + rows);
}

/** The line above the keys: a prompt, or the result of the last key. */
function prompt({ controls: { mode, notice } }: FrameState, columns: number, { paint }: Painter): string {
  const remark = notice === '' ? '' : `  ${paint.yellow(plain(notice))}`;
  if (mode.type === 'confirming') return `${paint.yellow('?')} ${plain(mode.question)} ${paint.dim('(y/n)')}`;
  if (mode.type !== 'typing') return notice === '' ? '' : paint.yellow(plain(notice));
  const { purpose, line } = mode;
  const label =
    purpose.type === 'comment'
      ? `${purpose.decision === 'approved' ? 'Approve' : 'Reject'} ${plain(purpose.node)}, comment (optional):`
      : purpose.type === 'key'
        ? `Correlation key of the event${purpose.suggested === '' ? '' : ` (⏎ ${plain(purpose.suggested)})`}:`
        : `Payload of ${plain(purpose.key)}, JSON (⏎ {}):`;
  const shown = cut(label, Math.max(8, Math.floor((columns * 2) / 3)));
  return `${paint.yellow('?')} ${shown} ${lineText(line, Math.max(8, columns - shown.length - 4))}${remark}`;
}
