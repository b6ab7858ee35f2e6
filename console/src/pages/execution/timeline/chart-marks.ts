import { type PointerEvent, useMemo } from 'react';
import type { SpanMark } from '../../../../../src/views/spans.ts';
import type { Hint } from './chart-hint.tsx';
import { AXIS_HEIGHT } from './draw-timeline.ts';
import type { TimeScale } from './time-scale.ts';

export interface Marks {
  readonly ofExecution: readonly SpanMark[];
  readonly ofNodes: ReadonlyMap<string, readonly SpanMark[]>;
}

export function useMarks(marks: readonly SpanMark[]): Marks {
  const last = marks.at(-1)?.sequence ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the array grows in place
  return useMemo(() => {
    const ofExecution: SpanMark[] = [];
    const ofNodes = new Map<string, SpanMark[]>();
    for (const mark of marks) {
      const { node } = mark;
      const known = node === null ? ofExecution : ofNodes.get(node);
      if (known !== undefined) known.push(mark);
      else if (node !== null) ofNodes.set(node, [mark]);
    }
    return { ofExecution, ofNodes };
  }, [marks, last]);
}

export function markHint(
  event: PointerEvent<HTMLElement>,
  marks: readonly SpanMark[],
  scale: TimeScale,
  canvas: HTMLElement | null,
): Hint | null {
  const box = canvas?.getBoundingClientRect();
  if (box === undefined) return null;
  const x = event.clientX - box.left;
  const mark = marks.find(({ atMs }) => isNear(scale, atMs, x));
  const offset = canvas?.offsetLeft ?? 0;
  return mark === undefined ? null : { x: x + offset, y: -AXIS_HEIGHT + 6, span: null, mark };
}

export function isNear(scale: TimeScale, atMs: number, x: number): boolean {
  return Math.abs(((atMs - scale.fromMs) / (scale.toMs - scale.fromMs)) * scale.width - x) <= 6;
}
