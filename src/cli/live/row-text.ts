import { itemsText } from '../../../machines/history/node-visit.ts';
import type { LiveModel, NodeOverlay } from '../../views/live-model.ts';
import type { OutlineRow } from '../../views/outline.ts';
import { duration } from '../../views/time.ts';
import { GLYPHS } from '../terminal/glyphs.ts';
import type { Paint } from '../terminal/paint.ts';
import { cut, cutPainted, pad, plain, width } from '../terminal/text.ts';

/** The inputs of drawing besides the model. */
export interface Painter {
  readonly paint: Paint;
  readonly nowMs: number;
  /** The spinner character of this frame, for active nodes. */
  readonly spinner: string;
  /** What the attempt of a node shows while it runs: its progress, or the text that its model writes; null = nothing. */
  readonly liveTextOf: (node: string) => string | null;
}

/** Columns before the name of a node at depth 0: selection, status, kind. */
const MARGIN_WIDTH = 5;
const MAX_CONDITION_WIDTH = 24;

/** The name of a node in the outline, with the condition of its branch, and ↺ at the start of a loop. The name is cut last. */
function nameOf({ node, branch, loop }: OutlineRow, columns: number): string {
  const name = `${loop ? '↺ ' : ''}${plain(node)}`;
  const columnsLeft = Math.min(MAX_CONDITION_WIDTH, columns - width(name) - 3);
  const why = branch === '' || columnsLeft < 3 ? '' : `${cut(plain(branch), columnsLeft)} → `;
  return cut(`${why}${name}`, columns);
}

/** The maximum width of the constant part of the rows. */
export function maxRowWidth(rows: readonly OutlineRow[]): number {
  return rows.reduce(
    (widest, row) => Math.max(widest, MARGIN_WIDTH + 2 * row.depth + width(nameOf(row, Number.POSITIVE_INFINITY))),
    0,
  );
}

/** A node of the outline, `›   ✓ f reserve   120 ms`, at most `columns` wide. */
export function rowText(
  row: OutlineRow,
  model: LiveModel,
  { selected, columns, widest }: { readonly selected: boolean; readonly columns: number; readonly widest: number },
  painter: Painter,
): string {
  const { paint } = painter;
  const status = model.overlayOf(row.node);
  const indent = Math.min(2 * row.depth, Math.floor(columns / 4));
  const leftWidth = Math.min(widest, Math.max(20, Math.floor(columns / 2)));
  const nameWidth = Math.max(1, leftWidth - MARGIN_WIDTH - indent);
  const name = pad(nameOf(row, nameWidth), nameWidth);
  const named = selected ? paint.bold(name) : status === null || status.status === 'skipped' ? paint.dim(name) : name;
  const margin = `${selected ? paint.cyan('›') : ' '}${' '.repeat(indent)}${glyphOf(status, painter)} ${paint.dim(row.letter)} `;
  const detail = status === null && row.detail !== '' ? paint.dim(plain(row.detail)) : '';
  return cutPainted(`${margin}${named}  ${stateText(row, status, model, painter)}${detail}`.trimEnd(), columns);
}

function glyphOf(status: NodeOverlay | null, { paint, spinner }: Painter): string {
  if (status === null) return paint.dim('·');
  const glyph = GLYPHS[status.status];
  switch (status.status) {
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

/** The status of a node in words: time, attempt, loop iteration, what it waits for. */
export function stateText({ node }: OutlineRow, status: NodeOverlay | null, model: LiveModel, painter: Painter): string {
  if (status === null) return '';
  const { paint } = painter;
  const iteration = status.visits > 1 ? `↺ iteration ${status.visits}` : '';
  const items = status.items === null ? '' : itemsText(status.items);
  const parts = [...stateParts(node, status, model, painter), paint.dim(items), paint.dim(iteration)];
  return parts.filter((part) => part !== '').join('  ');
}

function stateParts(
  node: string,
  status: NodeOverlay,
  model: LiveModel,
  { paint, nowMs, liveTextOf }: Painter,
): readonly string[] {
  const active = model.active.get(node);
  const age = status.sinceMs === null ? '' : duration(Math.max(0, nowMs - status.sinceMs));
  const attempt = active === undefined || (active.attempt ?? 0) === 0 ? '' : `attempt ${active.attempt}`;
  const text = plain(active?.text ?? '');
  switch (status.status) {
    case 'queued':
      return [text === '' ? 'queued' : text, paint.dim(age)];
    case 'active':
      return [liveTextOf(node) ?? (active?.status === 'waiting' && text !== '' ? text : 'running'), age, paint.dim(attempt)];
    case 'waiting':
      return [paint.yellow(text === '' ? 'waiting' : text), paint.dim(age)];
    case 'held':
      return [paint.yellow(active?.status === 'waiting' && text !== '' ? text : 'deferred')];
    case 'retrying': {
      const dueMs = model.retryAtMs(node);
      if (dueMs === null) return [paint.yellow('retrying')];
      const next = `attempt ${active?.attempt ?? 0}`;
      return [
        paint.yellow(dueMs <= nowMs ? `${next} is due` : `${next} in ${duration(dueMs - nowMs)}`),
        paint.red(plain(status.error ?? '')),
      ];
    }
    case 'done': {
      const retries = status.retries === 0 ? '' : `${status.retries} ${status.retries === 1 ? 'retry' : 'retries'}`;
      return [status.durationMs === null ? '' : duration(status.durationMs), paint.dim(retries)];
    }
    case 'failed':
      return [paint.red(plain(status.error ?? 'failed'))];
    case 'skipped':
    case 'cancelled':
      return [paint.dim(status.status)];
    default: {
      const unhandled: never = status.status;
      throw new TypeError(`unhandled status ${JSON.stringify(unhandled)}`);
    }
  }
}
