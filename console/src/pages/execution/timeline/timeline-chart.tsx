import { useVirtualizer } from '@tanstack/react-virtual';
import { type PointerEvent, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import type { Span, SpanMark, SpanRow } from '../../../../../src/views/spans.ts';
import { Name } from '../../../components/name.tsx';
import { useExecutionView } from '../execution-view.ts';
import { useLogVersion } from '../log/use-log-version.ts';
import { useColours } from './canvas-colours.ts';
import { useDrag, useWheel } from './chart-gestures.ts';
import { type Hint, HintBox } from './chart-hint.tsx';
import { moveCursor } from './chart-keyboard.ts';
import { isNear, markHint, useMarks } from './chart-marks.ts';
import { AXIS_HEIGHT, drawAxis, drawRows, ROW_HEIGHT, spanAt } from './draw-timeline.ts';
import { spanDuration, spanTitle } from './span-texts.ts';
import { MIN_RANGE_MS, type TimeRange, type TimeScale } from './time-scale.ts';
import styles from './timeline.module.css';

interface Props {
  /** Null = the whole execution, which grows while it runs. */
  readonly range: TimeRange | null;
  readonly setRange: (range: TimeRange | null) => void;
  /** What is in view, for the buttons. */
  readonly shown: RefObject<TimeRange | null>;
}

/** The room after the last bar of a running execution. */
const MARGIN = 0.04;
/** The bars of a running execution grow with the time: by a pixel, but not more often than this, nor less. */
const [LEAST_TICK_MS, MOST_TICK_MS] = [100, 60_000];
const NO_MARKS: readonly SpanMark[] = [];

export function TimelineChart({ range, setRange, shown }: Props) {
  const view = useExecutionView();
  const { log, node: selected, at, selectNode } = view;
  const { spans } = log;
  useLogVersion(log, 'spans');
  const colours = useColours();
  const scroller = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLCanvasElement>(null);
  const axis = useRef<HTMLCanvasElement>(null);
  const [hint, setHint] = useState<Hint | null>(null);
  const [cursor, setCursor] = useState(0);
  const { rows } = spans;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 6,
  });

  const marks = useMarks(spans.marks);
  const atMs = at === null ? null : Date.parse(log.events[at - 1]?.created_at ?? '');
  const { sequence, completed_at } = view.execution;
  const completedMs = completed_at === null ? null : Date.parse(completed_at);
  const shownNow = { colours, range, selected, hint, atMs, marks, sequence, completedMs };
  const latest = useRef(shownNow);
  latest.current = { ...shownNow, atMs: Number.isNaN(atMs) ? null : atMs };
  const scale = useRef<TimeScale>({ fromMs: 0, toMs: 1, width: 1 });

  const redraw = useRef((): void => {});
  useLayoutEffect(() => {
    let frame: number | null = null;
    let tick: ReturnType<typeof setTimeout> | undefined;
    const request = (): void => {
      frame ??= requestAnimationFrame(draw);
    };
    const draw = (): void => {
      frame = null;
      clearTimeout(tick);
      const [box, canvas, head] = [scroller.current, body.current, axis.current];
      if (box === null || canvas === null || head === null || spans.startMs === null) return;
      const { colours: inks, ...now } = latest.current;
      const width = canvas.clientWidth;
      const height = box.clientHeight;
      if (width === 0) return;
      // While a log is loaded, its end is known already.
      const endMs = spans.endMs ?? (log.sequence < now.sequence ? now.completedMs : null);
      const hasEnded = endMs !== null;
      const nowMs = endMs ?? Math.max(log.nowMs(), spans.lastMs ?? 0);
      const { fromMs, toMs } = now.range ?? wholeRange(spans.startMs, nowMs);
      const pixelMs = (toMs - fromMs) / width;
      if (!hasEnded) tick = setTimeout(request, Math.min(Math.max(LEAST_TICK_MS, pixelMs), MOST_TICK_MS));
      scale.current = { fromMs, toMs, width };
      shown.current = { fromMs, toMs };
      const common = { colours: inks, scale: scale.current, startMs: spans.startMs, nowMs };
      const rowContext = prepared(canvas, width, height);
      if (rowContext !== null)
        drawRows(rowContext, {
          ...common,
          rows: spans.rows,
          scrollTop: box.scrollTop,
          height,
          selected: now.selected,
          marks: now.marks.ofNodes,
          focused: now.hint?.span ?? null,
          atMs: now.atMs,
          hasEnded,
        });
      const axisContext = prepared(head, width, AXIS_HEIGHT);
      if (axisContext !== null) drawAxis(axisContext, common, now.marks.ofExecution);
    };
    const resized = new ResizeObserver(request);
    const box = scroller.current;
    for (const element of [box, body.current]) if (element !== null) resized.observe(element);
    box?.addEventListener('scroll', request);
    redraw.current = request;
    return () => {
      if (frame !== null) cancelAnimationFrame(frame);
      clearTimeout(tick);
      resized.disconnect();
      box?.removeEventListener('scroll', request);
    };
  }, [log, spans, shown]);
  // Whatever a render has changed.
  useLayoutEffect(() => redraw.current());

  useWheel(scroller, scale, setRange);
  const drag = useDrag(scale, range, setRange);

  const pointed = (event: PointerEvent<HTMLElement>): Hint | null => {
    const box = scroller.current?.getBoundingClientRect();
    const area = body.current?.getBoundingClientRect();
    if (box === undefined || area === undefined) return null;
    const x = event.clientX - area.left;
    const y = event.clientY - box.top;
    const row = rows[Math.floor((y + (scroller.current?.scrollTop ?? 0)) / ROW_HEIGHT)];
    if (row === undefined || x < 0) return null;
    const span = spanAt(row, scale.current, x, log.nowMs());
    const mark = (marks.ofNodes.get(row.node) ?? NO_MARKS).find(({ atMs: when }) => isNear(scale.current, when, x)) ?? null;
    return span === null && mark === null ? null : { x: event.clientX - box.left, y, span, mark };
  };
  const select = (row: SpanRow | undefined, span: Span | null): void => {
    if (row !== undefined)
      selectNode(row.node, span === null ? undefined : { activation: span.activation, attempt: span.attempt });
  };

  return (
    <div className={styles.chart}>
      <div className={styles.head}>
        <span>Node</span>
        <div
          aria-hidden="true"
          onPointerMove={(event) => setHint(markHint(event, marks.ofExecution, scale.current, axis.current))}
          onPointerLeave={() => setHint(null)}
        >
          <canvas ref={axis} />
        </div>
      </div>
      <div
        ref={scroller}
        className={styles.rows}
        onPointerMove={(event) => {
          if (drag.move(event)) setHint(null);
          else setHint(pointed(event));
        }}
        onPointerLeave={() => setHint(null)}
        onPointerDown={drag.begin}
        onPointerUp={(event) => {
          if (drag.end()) return;
          const found = pointed(event);
          const row = rows.find(({ node }) => node === (found?.span ?? found?.mark)?.node);
          if (row !== undefined) select(row, found?.span ?? null);
        }}
      >
        <div className={styles.bars} aria-hidden="true">
          <canvas ref={body} />
        </div>
        <ul
          className={styles.names}
          style={{ height: virtual.getTotalSize() }}
          aria-label="Nodes in the order in which they began. Arrow keys move between nodes and through the attempts of one."
          onBlur={({ relatedTarget, currentTarget }) => {
            if (!currentTarget.contains(relatedTarget)) setHint(null);
          }}
          onKeyDown={(event) => moveCursor(event, { rows, cursor, setCursor, virtual, hint, setHint, select })}
        >
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <li key={row.node} style={{ transform: `translateY(${item.start}px)`, height: ROW_HEIGHT }}>
                <button
                  type="button"
                  data-row={item.index}
                  tabIndex={item.index === Math.min(cursor, rows.length - 1) ? 0 : -1}
                  aria-pressed={row.node === selected}
                  onFocus={() => setCursor(item.index)}
                  onPointerUp={(event) => event.stopPropagation()}
                  onPointerDown={(event) => event.stopPropagation()}
                  onClick={() => select(row, null)}
                >
                  <Name text={row.node} maxChars={60} />
                  <span className="visually-hidden">
                    <Name text={rowText(row, log.nowMs())} maxChars={300} />
                  </span>
                  {row.visits > 1 && <span className={styles.count}>×{row.visits.toLocaleString()}</span>}
                </button>
              </li>
            );
          })}
        </ul>
      </div>
      {hint !== null && <HintBox hint={hint} nowMs={log.nowMs()} width={scroller.current?.clientWidth ?? 0} />}
    </div>
  );
}

function wholeRange(startMs: number, nowMs: number): TimeRange {
  const length = Math.max(MIN_RANGE_MS, nowMs - startMs);
  return { fromMs: startMs - length * (MARGIN / 4), toMs: startMs + length * (1 + MARGIN) };
}

/** A canvas has its own pixels. */
function prepared(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = devicePixelRatio;
  const [pixelWidth, pixelHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
    canvas.width = pixelWidth;
    canvas.height = pixelHeight;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d');
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** For screen readers, which do not see the bars. */
function rowText(row: SpanRow, nowMs: number): string {
  const last = row.spans.at(-1);
  return last === undefined
    ? ''
    : `, ${spanTitle(last)}, ${spanDuration(last, nowMs)}${last.error === undefined ? '' : `, ${last.error}`}`;
}
