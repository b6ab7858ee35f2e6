import type { KeyboardEvent } from 'react';
import type { Span, SpanRow } from '../../../../../src/views/spans.ts';
import type { Hint } from './chart-hint.tsx';
import { ROW_HEIGHT } from './draw-timeline.ts';

interface CursorMove {
  readonly rows: readonly SpanRow[];
  readonly cursor: number;
  readonly setCursor: (index: number) => void;
  readonly virtual: { scrollToIndex(index: number): void };
  readonly hint: Hint | null;
  readonly setHint: (hint: Hint | null) => void;
  readonly select: (row: SpanRow | undefined, span: Span | null) => void;
}

/** Up and down: between rows. Left and right: through the spans of a row; Enter selects the attempt that is described. */
export function moveCursor(event: KeyboardEvent<HTMLElement>, move: CursorMove): void {
  const { rows, cursor } = move;
  const row = rows[cursor];
  const to = { ArrowDown: cursor + 1, ArrowUp: cursor - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    const next = Math.min(Math.max(to, 0), rows.length - 1);
    const list = event.currentTarget;
    move.setCursor(next);
    move.setHint(null);
    move.virtual.scrollToIndex(next);
    const focus = (): boolean => {
      const button = list.querySelector<HTMLElement>(`[data-row="${next}"]`);
      button?.focus();
      return button !== null;
    };
    // It may have to be rendered first.
    if (!focus()) requestAnimationFrame(focus);
    return;
  }
  if (row === undefined) return;
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const current = move.hint?.span == null ? -1 : row.spans.indexOf(move.hint.span);
  if (by !== undefined) {
    event.preventDefault();
    const span =
      row.spans[
        current === -1 ? (by === 1 ? 0 : row.spans.length - 1) : Math.min(Math.max(current + by, 0), row.spans.length - 1)
      ];
    if (span !== undefined)
      move.setHint({ x: 120, y: (cursor + 1) * ROW_HEIGHT - scrollTopOf(event.currentTarget), span, mark: null });
  } else if (event.key === 'Enter' && current !== -1) {
    event.preventDefault();
    move.select(row, row.spans[current] ?? null);
  }
}

function scrollTopOf(list: HTMLElement): number {
  return list.parentElement?.scrollTop ?? 0;
}
