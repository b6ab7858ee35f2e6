import type { NodeMark, OutlineRow } from '../../pictures/outline.ts';
import type { Paint } from '../terminal/paint.ts';
import { cut, cutPainted, pad, plain, width } from '../terminal/text.ts';
import { duration } from '../terminal/time.ts';
import type { LiveModel } from './model.ts';

/** What a frame is drawn with. */
export interface Brush {
  readonly paint: Paint;
  readonly nowMs: number;
  /** Of this frame, for what is under way. */
  readonly spinner: string;
}

const LETTERS: Readonly<Record<OutlineRow['kind'], string>> = {
  tool: 'f',
  http: 'h',
  python_fn: 'p',
  java_fn: 'j',
  condition: '?',
  parallel: '=',
  join: '>',
  human_approval: 'a',
  wait: 'w',
  subgraph: 's',
  limit_exceeded: '!',
};

const GLYPHS: Readonly<Record<NodeMark['status'], string>> = {
  queued: '▹',
  active: '▸',
  waiting: '◆',
  held: '◇',
  retrying: '↻',
  done: '✓',
  failed: '✗',
  skipped: '–',
  cancelled: '⊘',
};

/** Columns before the name of a node that stands on the left: selection, state, kind. */
const MARGIN = 5;
const MAX_WAY = 24;

/** The name of a node as the outline shows it, with why its way is taken, and ↺ where a loop begins; the name is cut last. */
function nameOf({ node, way, loop }: OutlineRow, columns: number): string {
  const name = `${loop ? '↺ ' : ''}${plain(node)}`;
  const room = Math.min(MAX_WAY, columns - width(name) - 3);
  const why = way === '' || room < 3 ? '' : `${cut(plain(way), room)} → `;
  return cut(`${why}${name}`, columns);
}

/** Columns the widest row takes for what does not change. */
export function widestOf(rows: readonly OutlineRow[]): number {
  return rows.reduce((widest, row) => Math.max(widest, MARGIN + 2 * row.depth + width(nameOf(row, Number.POSITIVE_INFINITY))), 0);
}

/** `›   ✓ f reserve   120 ms`: a node of the outline, within `columns`. */
export function rowText(
  row: OutlineRow,
  model: LiveModel,
  { selected, columns, widest }: { readonly selected: boolean; readonly columns: number; readonly widest: number },
  brush: Brush,
): string {
  const { paint } = brush;
  const mark = model.markOf(row.node);
  const indent = Math.min(2 * row.depth, Math.floor(columns / 4));
  const left = Math.min(widest, Math.max(20, Math.floor(columns / 2)));
  const room = Math.max(1, left - MARGIN - indent);
  const name = pad(nameOf(row, room), room);
  const named = selected ? paint.bold(name) : mark === null || mark.status === 'skipped' ? paint.dim(name) : name;
  const margin = `${selected ? paint.cyan('›') : ' '}${' '.repeat(indent)}${glyphOf(mark, brush)} ${paint.dim(LETTERS[row.kind])} `;
  const detail = mark === null && row.detail !== '' ? paint.dim(plain(row.detail)) : '';
  return cutPainted(`${margin}${named}  ${stateText(row, mark, model, brush)}${detail}`.trimEnd(), columns);
}

function glyphOf(mark: NodeMark | null, { paint, spinner }: Brush): string {
  if (mark === null) return paint.dim('·');
  const glyph = GLYPHS[mark.status];
  switch (mark.status) {
    case 'active':
      return paint.cyan(spinner);
    case 'done':
      return paint.green(glyph);
    case 'failed':
      return paint.red(glyph);
    case 'skipped':
    case 'cancelled':
      return paint.dim(glyph);
    default:
      return paint.yellow(glyph);
  }
}

/** Where a node stands, in words: how long, which attempt, which round of its loop, what it waits for. */
export function stateText({ node }: OutlineRow, mark: NodeMark | null, model: LiveModel, brush: Brush): string {
  if (mark === null) return '';
  const { paint } = brush;
  const round = mark.visits > 1 ? `↺ round ${mark.visits}` : '';
  const parts = [...whereText(node, mark, model, brush), paint.dim(round)];
  return parts.filter((part) => part !== '').join('  ');
}

function whereText(node: string, mark: NodeMark, model: LiveModel, { paint, nowMs }: Brush): readonly string[] {
  const active = model.active.get(node);
  const age = mark.sinceMs === null ? '' : duration(Math.max(0, nowMs - mark.sinceMs));
  const attempt = active === undefined || (active.attempt ?? 0) === 0 ? '' : `attempt ${(active.attempt ?? 0) + 1}`;
  const text = plain(active?.text ?? '');
  switch (mark.status) {
    case 'queued':
      return [text === '' ? 'queued' : text, paint.dim(age)];
    case 'active':
      return [active?.mark === 'waiting' && text !== '' ? text : 'running', age, paint.dim(attempt)];
    case 'waiting':
      return [paint.yellow(text === '' ? 'waiting' : text), paint.dim(age)];
    case 'held':
      return [paint.yellow(active?.mark === 'waiting' ? `held, ${text}` : 'held')];
    case 'retrying': {
      const dueMs = model.retryAtMs(node);
      if (dueMs === null) return [paint.yellow('runs again')];
      const next = `attempt ${(active?.attempt ?? 0) + 1}`;
      return [paint.yellow(dueMs <= nowMs ? `${next} is due` : `${next} in ${duration(dueMs - nowMs)}`), why(node, model, paint)];
    }
    case 'done': {
      const retries = mark.retries === 0 ? '' : `${mark.retries} ${mark.retries === 1 ? 'retry' : 'retries'}`;
      const tookMs = model.pastOf(node).attempts.at(-1)?.tookMs ?? null;
      return [tookMs === null ? '' : duration(tookMs), paint.dim(retries)];
    }
    case 'failed':
      return [paint.red(plain(mark.error ?? 'failed'))];
    case 'skipped':
    case 'cancelled':
      return [paint.dim(mark.status)];
    default: {
      const unhandled: never = mark.status;
      throw new TypeError(`unhandled status ${JSON.stringify(unhandled)}`);
    }
  }
}

/** Why the last attempt failed. */
function why(node: string, model: LiveModel, paint: Paint): string {
  return paint.red(plain(model.pastOf(node).attempts.at(-1)?.error ?? ''));
}
