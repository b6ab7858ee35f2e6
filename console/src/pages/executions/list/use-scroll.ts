import { type RefObject, useCallback, useLayoutEffect, useRef, useState } from 'react';
import { ScaledScroll } from '../../../../../src/views/scaled-scroll.ts';

/** The place of the list is kept with the page's entry in the history, so that Back leads to it. */
function rememberRank(listRank: number): void {
  history.replaceState({ listRank }, '');
}

function rememberedRank(): number | null {
  const rank: unknown = (history.state as { readonly listRank?: unknown } | null)?.listRank;
  return typeof rank === 'number' && rank > 0 ? rank : null;
}

interface Scroll {
  /** For the element that scrolls. */
  readonly frame: RefObject<HTMLDivElement | null>;
  readonly scroll: ScaledScroll;
  /** Moves the list; `move` returns where the element must be scrolled. */
  readonly move: (move: (scroll: ScaledScroll) => number | null) => void;
}

/**
 * The scroll position of a list of `rows` rows in an element whose first `headHeight` pixels stay visible. Renders again when it changes.
 */
export function useScroll(rows: number, rowHeight: number, headHeight: number): Scroll {
  const frame = useRef<HTMLDivElement>(null);
  const [scroll] = useState(() => new ScaledScroll());
  const [, render] = useState(0);
  const pending = useRef<number | null>(null);
  const [viewport, setViewport] = useState(0);

  const move = useCallback(
    (change: (scroll: ScaledScroll) => number | null) => {
      pending.current = change(scroll) ?? pending.current;
      render((before) => before + 1);
    },
    [scroll],
  );

  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const measure = (): void => setViewport(Math.max(0, element.clientHeight - headHeight));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [headHeight]);

  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const onScroll = (): void => move(() => scroll.scrolled(element.scrollTop));
    const onRest = (): void => {
      move(() => scroll.rested());
      rememberRank(scroll.visible.first);
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    element.addEventListener('scrollend', onRest);
    return () => {
      element.removeEventListener('scroll', onScroll);
      element.removeEventListener('scrollend', onRest);
    };
  }, [move, scroll]);

  // After the content has got its height.
  useLayoutEffect(() => {
    const to = pending.current;
    pending.current = null;
    if (to !== null && frame.current !== null) frame.current.scrollTop = to;
  });

  const returnTo = useRef(rememberedRank());
  useLayoutEffect(() => {
    move(() => scroll.resize({ rows, rowHeight, viewport }));
    const rank = returnTo.current;
    if (rank === null || rows <= rank || viewport === 0) return;
    returnTo.current = null;
    move(() => scroll.moveTo(rank * rowHeight));
  }, [move, scroll, rows, rowHeight, viewport]);
  return { frame, scroll, move };
}
