import { type PointerEvent, type RefObject, useEffect, useRef } from 'react';
import { MIN_RANGE_MS, msAt, type TimeRange, type TimeScale } from './time-scale.ts';

/** The wheel with Ctrl (or a pinch) zooms where the pointer is; sideways, it moves. */
export function useWheel(
  element: RefObject<HTMLElement | null>,
  scale: RefObject<TimeScale>,
  setRange: (range: TimeRange | null) => void,
): void {
  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    const wheel = (event: WheelEvent): void => {
      const { fromMs, toMs, width } = scale.current;
      const sideways = event.shiftKey ? event.deltaY : event.deltaX;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const bars = target.querySelector('canvas')?.getBoundingClientRect();
        const centre = msAt(scale.current, event.clientX - (bars?.left ?? 0));
        const factor = Math.exp(event.deltaY * 0.002);
        const length = Math.max(MIN_RANGE_MS, (toMs - fromMs) * factor);
        const from = centre - ((centre - fromMs) / (toMs - fromMs)) * length;
        setRange({ fromMs: from, toMs: from + length });
      } else if (sideways !== 0 && Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
        event.preventDefault();
        const by = (sideways / width) * (toMs - fromMs);
        setRange({ fromMs: fromMs + by, toMs: toMs + by });
      }
    };
    target.addEventListener('wheel', wheel, { passive: false });
    return () => target.removeEventListener('wheel', wheel);
  }, [element, scale, setRange]);
}

const DRAG_PIXELS = 4;

/** Dragging moves a zoomed axis. */
export function useDrag(scale: RefObject<TimeScale>, range: TimeRange | null, setRange: (range: TimeRange | null) => void) {
  const start = useRef<{ readonly x: number; readonly fromMs: number; readonly toMs: number; moved: boolean } | null>(null);
  return {
    begin(event: PointerEvent<HTMLElement>): void {
      if (event.button === 0 && event.pointerType === 'mouse')
        start.current = { x: event.clientX, fromMs: scale.current.fromMs, toMs: scale.current.toMs, moved: false };
    },
    /** True while it drags. */
    move(event: PointerEvent<HTMLElement>): boolean {
      const from = start.current;
      if (from === null || range === null) return false;
      const by = event.clientX - from.x;
      if (!from.moved && Math.abs(by) < DRAG_PIXELS) return false;
      from.moved = true;
      const byMs = (by / scale.current.width) * (from.toMs - from.fromMs);
      setRange({ fromMs: from.fromMs - byMs, toMs: from.toMs - byMs });
      return true;
    },
    /** True if it was no click. */
    end(): boolean {
      const moved = start.current?.moved ?? false;
      start.current = null;
      return moved;
    },
  };
}
