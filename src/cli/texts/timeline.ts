import { duration } from '../../views/time.ts';
import type { ActiveNode, EntryStatus, TimedEntry } from '../../views/timeline.ts';
import type { Paint } from '../terminal/paint.ts';
import { cut, pad, plain } from '../terminal/text.ts';

const GLYPHS: Readonly<Record<EntryStatus, string>> = {
  running: '▸',
  done: '✓',
  failed: '✗',
  retry: '↻',
  waiting: '◆',
  skipped: '–',
  cancelled: '⊘',
  note: '·',
  problem: '!',
};

/** `✓ fetch     120 ms  round 2  attempt 1`. */
export function renderEntry(entry: TimedEntry, nodeWidth: number, paint: Paint): string {
  const took = entry.durationMs === null ? '' : duration(entry.durationMs);
  const attempt = entry.attempt === null ? '' : `attempt ${entry.attempt}`;
  const text = plain(entry.text);
  const remarks = [
    entry.round === null || entry.status === 'skipped' ? '' : paint.dim(`round ${entry.round}`),
    attempt === '' ? '' : paint.dim(attempt),
    entry.status === 'failed' ? paint.red(text) : quiet(entry.status, paint)(text),
  ];
  return layout(colourOf(entry.status, paint)(GLYPHS[entry.status]), entry.node, took, remarks, nodeWidth);
}

export function renderActive(active: ActiveNode, nodeWidth: number, nowMs: number, spinner: string, paint: Paint): string {
  const glyph = active.status === 'running' ? paint.cyan(spinner) : colourOf(active.status, paint)(GLYPHS[active.status]);
  const attempt = active.attempt === null || active.attempt === 0 ? '' : `attempt ${active.attempt}`;
  return layout(
    glyph,
    active.node,
    duration(Math.max(0, nowMs - active.sinceMs)),
    [paint.dim(attempt), paint.dim(plain(active.text))],
    nodeWidth,
  );
}

function layout(glyph: string, node: string | null, took: string, remarks: readonly string[], nodeWidth: number): string {
  const name = node === null ? '' : cut(plain(node), nodeWidth);
  const remark = remarks.filter((part) => part !== '').join('  ');
  if (node === null) return `  ${glyph} ${remark}`;
  return `  ${glyph} ${pad(name, nodeWidth)}  ${took.padStart(10)}  ${remark}`.trimEnd();
}

function colourOf(mark: EntryStatus, paint: Paint): (text: string) => string {
  if (mark === 'done') return paint.green;
  if (mark === 'failed') return paint.red;
  if (mark === 'running') return paint.cyan;
  return mark === 'skipped' || mark === 'cancelled' || mark === 'note' ? paint.dim : paint.yellow;
}

function quiet(mark: EntryStatus, paint: Paint): (text: string) => string {
  return mark === 'skipped' || mark === 'cancelled' || mark === 'note' || mark === 'running' ? paint.dim : (text) => text;
}
