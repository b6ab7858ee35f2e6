import type { Size } from '../terminal/full-screen.ts';
import { paintStatus } from '../terminal/status.ts';
import { count, cut, cutPainted, plain, width } from '../terminal/text.ts';
import { clock, duration } from '../terminal/time.ts';
import { renderEntry } from '../texts/timeline.ts';
import type { Controls } from './controls.ts';
import { detailLines } from './detail.ts';
import { lineText } from './line.ts';
import type { LiveModel } from './model.ts';
import { type Brush, rowText } from './row-text.ts';
import { wrapped } from './wrapped.ts';

/** What stands still about the execution. */
export interface Subject {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly startedMs: number;
}

export interface Scene {
  readonly subject: Subject;
  readonly model: LiveModel;
  readonly controls: Controls;
  /** Index of the row that is selected while nobody selects another. */
  readonly current: number;
  /** `widestOf` the rows. */
  readonly widest: number;
  /** Null while it goes on. */
  readonly endedMs: number | null;
  /** What is wrong with the connection; '' = nothing. */
  readonly trouble: string;
}

/** Below these heights parts are left out, those that matter least first. */
const ROOMY = 18;
const ENOUGH = 12;
const LEAST_EVENTS = 8;
const MAX_APPROVALS = 3;
/** Lines of a question. */
const MAX_QUESTION = 3;

/** What is left of the keys where they do not fit. */
const SHORT_KEYS = 'a/r decide e event p/u hold c cancel q';

const KEYS: Readonly<Record<'browsing' | 'reading' | 'typing' | 'confirming' | 'over', string>> = {
  browsing: '↑↓ ⏎ details  a approve  r reject  e event  p pause  u resume  c cancel  q quit',
  reading: '↑↓ scroll  esc back',
  typing: '⏎ go on  esc leave it',
  confirming: 'y yes  any other key: no',
  over: 'it has ended: any key leaves  ↑↓ select  ⏎ details',
};

/** The screen: at most `rows` lines, each within `columns`. */
export function frame(scene: Scene, { rows, columns }: Size, brush: Brush): readonly string[] {
  const { model, controls } = scene;
  const { paint } = brush;
  const top = header(scene, rows, brush);
  const spelled = controls.mode.is === 'browsing' && model.over ? KEYS.over : KEYS[controls.mode.is];
  const keys = spelled === KEYS.browsing && width(spelled) > columns ? SHORT_KEYS : spelled;
  const bottom = [prompt(scene, columns, brush), paint.dim(cut(keys, columns))];
  const room = Math.max(0, rows - top.length - bottom.length);
  const middle =
    controls.mode.is === 'reading'
      ? details(scene, controls.mode.from, { rows: room, columns }, brush)
      : body(scene, { rows: room, columns }, brush);
  const filled = [...middle, ...Array<string>(Math.max(0, room - middle.length)).fill('')];
  return [...top, ...filled, ...bottom].slice(0, rows).map((line) => cutPainted(line, columns));
}

/** How far the details of the selected node can be scrolled. */
export function detailsBottom(scene: Scene, { rows, columns }: Size, brush: Brush): number {
  const row = scene.model.rows[scene.controls.selected ?? scene.current];
  const room = rows - header(scene, rows, brush).length - 2;
  return row === undefined ? 0 : Math.max(0, detailLines(row, scene.model, columns, brush).length - room);
}

function header({ subject, model, endedMs, trouble }: Scene, rows: number, { paint, nowMs }: Brush): readonly string[] {
  const took = duration(Math.max(0, (endedMs ?? nowMs) - subject.startedMs));
  const reason = model.heldReason === '' ? '' : `: ${plain(model.heldReason)}`;
  const held = model.held ? `  ${paint.yellow(`held${reason}`)}` : '';
  const name = `${paint.bold(plain(subject.workflow))} ${plain(subject.version)}`;
  const lines = [`${name}  ${paintStatus(model.status, paint)}${held}  ${paint.dim(took)}`];
  if (rows >= ENOUGH) lines.push(paint.dim(`${subject.id}  ${count(model.marks.sequence, 'event')}`));
  if (trouble !== '') lines.push(paint.yellow(`! ${trouble}`));
  else if (model.error !== '') lines.push(paint.red(plain(model.error)));
  return rows >= ROOMY ? [...lines, ''] : lines;
}

function body(scene: Scene, { rows, columns }: Size, brush: Brush): readonly string[] {
  const approvals = approvalsText(scene, { rows, columns }, brush);
  const free = rows - scene.model.rows.length - approvals.length;
  const events = eventsText(scene, { rows, columns }, free, brush);
  const room = Math.max(1, rows - approvals.length - events.length);
  return [...outlineText(scene, { rows: room, columns }, brush), ...approvals, ...events];
}

/** The part of the outline around the selected row. */
function outlineText({ model, controls, current, widest }: Scene, { rows, columns }: Size, brush: Brush): readonly string[] {
  const selected = controls.selected ?? current;
  const first = Math.max(0, Math.min(model.rows.length - rows, selected - Math.floor(rows / 2)));
  return model.rows
    .slice(first, first + rows)
    .map((row, at) => rowText(row, model, { selected: first + at === selected, columns, widest }, brush));
}

function approvalsText({ model }: Scene, { rows, columns }: Size, { paint }: Brush): readonly string[] {
  const { approvals } = model;
  if (approvals.length === 0) return [];
  const small = rows < ENOUGH;
  const shown = approvals.slice(0, small ? 1 : MAX_APPROVALS);
  const lines = shown.flatMap(({ node, question }) => {
    const all = wrapped(`${plain(node)}: ${plain(question)}`, columns - 2);
    const most = small ? 1 : MAX_QUESTION;
    const lines = [...all.slice(0, most - 1), ...(all.length < most ? [] : [cut(all.slice(most - 1).join(' '), columns - 2)])];
    return lines.map((line, at) => `${at === 0 ? paint.yellow('◆') : ' '} ${line}`);
  });
  if (approvals.length > shown.length) lines.push(paint.dim(`  and ${approvals.length - shown.length} more`));
  return small ? lines : ['', ...lines];
}

/** The last events: some beside a long outline, more where it leaves rows free. */
function eventsText({ model, widest }: Scene, { rows, columns }: Size, free: number, { paint }: Brush): readonly string[] {
  const lines = Math.max(free - 1, rows < ENOUGH ? 0 : Math.min(LEAST_EVENTS, Math.floor(rows / 4)));
  if (lines <= 0 || model.happened.length === 0) return [];
  const nodeWidth = Math.max(8, Math.min(widest, Math.floor(columns / 4)));
  return [
    '',
    ...model.happened
      .slice(-lines)
      .map(({ atMs, entry }) => `${columns < 60 ? '' : paint.dim(clock(atMs))}${renderEntry(entry, nodeWidth, paint)}`),
  ];
}

function details({ model, controls, current }: Scene, from: number, { rows, columns }: Size, brush: Brush): readonly string[] {
  const row = model.rows[controls.selected ?? current];
  if (row === undefined) return [];
  const lines = detailLines(row, model, columns, brush);
  const first = Math.min(from, Math.max(0, lines.length - rows));
  return lines.slice(first, first + rows);
}

/** The line above the keys: what is asked, or what came of the last key. */
function prompt({ controls: { mode, notice } }: Scene, columns: number, { paint }: Brush): string {
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
