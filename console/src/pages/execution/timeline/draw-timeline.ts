import type { Span, SpanMark, SpanRow } from '../../../../../src/views/spans.ts';
import { duration } from '../../../../../src/views/time.ts';
import type { Colours, Token } from './canvas-colours.ts';
import { spanLabel } from './span-texts.ts';
import { type TimeScale, ticksOf, xOf } from './time-scale.ts';

export const ROW_HEIGHT = 26;
export const AXIS_HEIGHT = 26;
const BAR_HEIGHT = 14;
const WAIT_HEIGHT = 8;
/** A bar is at least so wide that it can be seen and hit. */
const MIN_BAR = 3;
const MIN_LABEL = 44;

interface Drawn {
  readonly colours: Colours;
  readonly scale: TimeScale;
  readonly startMs: number;
  readonly nowMs: number;
}

export interface DrawnRows extends Drawn {
  readonly rows: readonly SpanRow[];
  readonly scrollTop: number;
  readonly height: number;
  readonly selected: string | null;
  readonly marks: ReadonlyMap<string, readonly SpanMark[]>;
  readonly focused: Span | null;
  /** The time at which the execution is shown; null = now. */
  readonly atMs: number | null;
  readonly hasEnded: boolean;
}

/** Draws the bars of the rows that are in view. */
export function drawRows(context: CanvasRenderingContext2D, drawn: DrawnRows): void {
  const { colours, scale, rows, scrollTop, height } = drawn;
  context.clearRect(0, 0, scale.width, height);
  drawGrid(context, drawn, height);
  context.font = '11px system-ui, sans-serif';
  context.textBaseline = 'middle';
  const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT));
  for (let index = first; index < rows.length; index++) {
    const top = index * ROW_HEIGHT - scrollTop;
    const row = rows[index];
    if (top > height || row === undefined) break;
    if (row.node === drawn.selected) {
      context.fillStyle = colours['accent-soft'];
      context.fillRect(0, top, scale.width, ROW_HEIGHT);
    }
    drawSpans(context, drawn, row.spans, top + ROW_HEIGHT / 2);
    for (const mark of drawn.marks.get(row.node) ?? [])
      drawDiamond(context, xOf(scale, mark.atMs), top + ROW_HEIGHT / 2, colours.ink);
  }
  if (drawn.atMs !== null) drawLine(context, xOf(scale, drawn.atMs), height, colours.accent, []);
  if (!drawn.hasEnded) drawLine(context, xOf(scale, drawn.nowMs), height, colours['line-strong'], [2, 3]);
}

/** The times above the rows, and the marks of the execution as a whole. */
export function drawAxis(
  context: CanvasRenderingContext2D,
  { colours, scale, startMs }: Drawn,
  marks: readonly SpanMark[],
): void {
  context.clearRect(0, 0, scale.width, AXIS_HEIGHT);
  context.font = '11px system-ui, sans-serif';
  context.textBaseline = 'middle';
  context.fillStyle = colours.muted;
  const { stepMs, offsetsMs } = ticksOf(scale, startMs);
  for (const offset of offsetsMs) {
    const x = xOf(scale, startMs + offset);
    context.fillText(tickText(offset, stepMs), x + 3, 9);
  }
  let last = Number.NEGATIVE_INFINITY;
  for (const mark of marks) {
    const x = Math.min(Math.max(xOf(scale, mark.atMs), 4), scale.width - 4);
    if (mark.atMs < scale.fromMs || mark.atMs > scale.toMs || x - last < 2) continue;
    last = x;
    drawFlag(context, x, colours[markColour(mark)]);
  }
}

/** The span at a point of a row; the shortest if several are. Points beside a narrow bar hit it too. */
export function spanAt(row: SpanRow, scale: TimeScale, x: number, nowMs: number): Span | null {
  let best: Span | null = null;
  for (let index = firstIn(row.spans, scale); index < row.spans.length; index++) {
    const span = row.spans[index];
    if (span === undefined || span.startMs > scale.toMs) break;
    const [from, width] = barOf(span, scale, nowMs);
    if (x >= from - 2 && x <= from + width + 2 && (best === null || lengthOf(span, nowMs) < lengthOf(best, nowMs))) best = span;
  }
  return best;
}

function drawSpans(context: CanvasRenderingContext2D, drawn: DrawnRows, spans: readonly Span[], middle: number): void {
  const { colours, scale, nowMs } = drawn;
  let filledTo = Number.NEGATIVE_INFINITY;
  for (let index = firstIn(spans, scale); index < spans.length; index++) {
    const span = spans[index];
    if (span === undefined || span.startMs > scale.toMs) break;
    const [from, width] = barOf(span, scale, nowMs);
    // Thousands of bars in a few pixels look like one.
    if (width <= MIN_BAR && from + width <= filledTo) continue;
    filledTo = from + width;
    const tone = toneOf(span);
    const isWork = span.kind === 'running' || span.kind === 'child';
    const barHeight = isWork ? BAR_HEIGHT : WAIT_HEIGHT;
    const x = Math.max(from, -4);
    const end = Math.min(from + width, scale.width + 4);
    context.beginPath();
    context.roundRect(x, middle - barHeight / 2, Math.max(MIN_BAR, end - x), barHeight, 3);
    context.fillStyle = colours[`${tone}-soft`];
    context.fill();
    context.lineWidth = span === drawn.focused ? 2.5 : 1;
    context.strokeStyle = colours[tone];
    if (span.kind === 'queued' || span.kind === 'retry_wait') context.setLineDash([3, 2]);
    context.stroke();
    context.setLineDash([]);
    if (span.outcome === 'failed' && end - x > 12) drawCross(context, end - 7, middle, colours[tone]);
    if (!isWork || end - x < MIN_LABEL) continue;
    context.fillStyle = colours[tone];
    const text = spanLabel(span, nowMs);
    if (context.measureText(text).width < end - Math.max(x, 0) - 18) context.fillText(text, Math.max(x, 0) + 5, middle + 0.5);
  }
}

function drawGrid(context: CanvasRenderingContext2D, { colours, scale, startMs }: Drawn, height: number): void {
  context.fillStyle = colours.line;
  for (const offset of ticksOf(scale, startMs).offsetsMs)
    context.fillRect(Math.round(xOf(scale, startMs + offset)), 0, 1, height);
}

function drawLine(context: CanvasRenderingContext2D, x: number, height: number, colour: string, dash: number[]): void {
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, height);
  context.stroke();
  context.setLineDash([]);
}

function drawDiamond(context: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x, y - 5);
  context.lineTo(x + 5, y);
  context.lineTo(x, y + 5);
  context.lineTo(x - 5, y);
  context.fill();
}

function drawFlag(context: CanvasRenderingContext2D, x: number, colour: string): void {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x - 4, AXIS_HEIGHT - 9);
  context.lineTo(x + 4, AXIS_HEIGHT - 9);
  context.lineTo(x, AXIS_HEIGHT - 1);
  context.fill();
}

function drawCross(context: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x - 3, y - 3);
  context.lineTo(x + 3, y + 3);
  context.moveTo(x + 3, y - 3);
  context.lineTo(x - 3, y + 3);
  context.stroke();
}

type Tone = 'running' | 'paused' | 'completed' | 'failed' | 'held' | 'retrying' | 'cancelled';

function toneOf({ kind, outcome }: Span): Tone {
  if (outcome === 'failed') return 'failed';
  if (outcome === 'cancelled' || outcome === 'skipped') return 'cancelled';
  switch (kind) {
    case 'queued':
    case 'skipped':
      return 'cancelled';
    case 'retry_wait':
      return 'retrying';
    case 'held':
      return 'held';
    case 'running':
    case 'child':
      return outcome === 'done' ? 'completed' : 'running';
    case 'waiting_approval':
    case 'waiting_event':
    case 'timer':
    case 'child_paused':
      return outcome === 'done' ? 'completed' : 'paused';
  }
}

function markColour({ kind }: SpanMark): Token {
  if (kind === 'paused') return 'paused';
  if (kind === 'policy') return 'failed';
  return kind === 'decision' ? 'held' : 'muted';
}

/** The index of the first span that may be in view. Visits follow each other, so that only the one before may reach into it. */
function firstIn(spans: readonly Span[], { fromMs }: TimeScale): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle]?.startMs ?? 0) < fromMs) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 4);
}

function barOf(span: Span, scale: TimeScale, nowMs: number): readonly [from: number, width: number] {
  const from = xOf(scale, span.startMs);
  return [from, Math.max(MIN_BAR, xOf(scale, span.endMs ?? Math.max(nowMs, span.startMs)) - from)];
}

function lengthOf(span: Span, nowMs: number): number {
  return (span.endMs ?? nowMs) - span.startMs;
}

function tickText(offsetMs: number, stepMs: number): string {
  if (offsetMs === 0) return '0';
  return stepMs >= 1 ? duration(offsetMs) : String(offsetMs);
}
