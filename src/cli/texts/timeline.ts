import type { Paint } from '../terminal/paint.ts';
import { cut, pad, plain } from '../terminal/text.ts';
import { duration } from '../terminal/time.ts';
import type { Active, Entry, Mark } from '../timeline.ts';

const GLYPHS: Readonly<Record<Mark, string>> = {
  running: '▸',
  done: '✓',
  failed: '✗',
  retry: '↻',
  waiting: '◆',
  skipped: '–',
  cancelled: '⊘',
  note: '·',
};

/** `✓ fetch     120 ms  attempt 1`. */
export function renderEntry(entry: Entry, nodeWidth: number, paint: Paint): string {
  const took = entry.tookMs === null ? '' : duration(entry.tookMs);
  const attempt = entry.attempt === null ? '' : `attempt ${entry.attempt + 1}`;
  const text = plain(entry.text);
  const remarks = [
    attempt === '' ? '' : paint.dim(attempt),
    entry.mark === 'failed' ? paint.red(text) : quiet(entry.mark, paint)(text),
  ];
  return layout(colourOf(entry.mark, paint)(GLYPHS[entry.mark]), entry.node, took, remarks, nodeWidth);
}

export function renderActive(active: Active, nodeWidth: number, nowMs: number, spinner: string, paint: Paint): string {
  const glyph = active.mark === 'running' ? paint.cyan(spinner) : colourOf(active.mark, paint)(GLYPHS[active.mark]);
  const attempt = active.attempt === null || active.attempt === 0 ? '' : `attempt ${active.attempt + 1}`;
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

function colourOf(mark: Mark, paint: Paint): (text: string) => string {
  if (mark === 'done') return paint.green;
  if (mark === 'failed') return paint.red;
  if (mark === 'running') return paint.cyan;
  return mark === 'skipped' || mark === 'cancelled' || mark === 'note' ? paint.dim : paint.yellow;
}

function quiet(mark: Mark, paint: Paint): (text: string) => string {
  return mark === 'skipped' || mark === 'cancelled' || mark === 'note' || mark === 'running' ? paint.dim : (text) => text;
}
