import { durationText } from '../../../machines/duration.ts';
import type { Diagram, DrawnExecution } from '../../../machines/views/diagram.ts';
import { oneLine } from '../../../machines/views/text.ts';
import { SIZES } from './boxes.ts';
import { widthOf, wrapped } from './measure.ts';

/** A line above the drawing. */
export interface HeadLine {
  readonly text: string;
  readonly role: 'title' | 'subtitle' | 'error';
  /** Distance of its baseline from the top, in pixels. */
  readonly y: number;
}

export interface Head {
  readonly lines: readonly HeadLine[];
  readonly width: number;
  readonly height: number;
}

const LINE_HEIGHT = 18;
const FIRST_BASELINE = 16;
/** Below the lines. */
const GAP = 16;
const MAX_ERROR_CHARS = 80;
const MAX_ERROR_LINES = 3;

/** The title, and for an execution its id, status, times and error. */
export function headOf({ title, subtitle, execution }: Diagram): Head {
  const texts: readonly Omit<HeadLine, 'y'>[] = [
    { text: oneLine(title, 80), role: 'title' },
    {
      text: oneLine([subtitle, execution?.overlay.status ?? ''].filter((part) => part !== '').join(' · '), 120),
      role: 'subtitle',
    },
    ...(execution === null ? [] : executionLines(execution)),
  ];
  const lines = texts.map((line, i) => ({ ...line, y: FIRST_BASELINE + i * LINE_HEIGHT + (i > 0 ? 2 : 0) }));
  const widths = lines.map(({ text, role }) => widthOf(text, SIZES[role], role === 'title'));
  return { lines, width: Math.max(...widths), height: lines.length * LINE_HEIGHT + GAP };
}

function executionLines({ id, overlay }: DrawnExecution): readonly Omit<HeadLine, 'y'>[] {
  const { startedAtMs, atMs, ended, sequence, error } = overlay;
  const events = `${sequence} ${sequence === 1 ? 'event' : 'events'}`;
  const times =
    startedAtMs === null || atMs === null
      ? []
      : [
          `started ${utc(startedAtMs)} · ${ended ? `took ${durationText(atMs - startedAtMs)}` : `last event ${utc(atMs)}`} · ${events}`,
        ];
  const errors = error === null ? [] : wrapped(oneLine(error, 500), MAX_ERROR_CHARS, MAX_ERROR_LINES);
  return [
    ...[...(id === null ? [] : [id]), ...times].map((text) => ({ text, role: 'subtitle' as const })),
    ...errors.map((text) => ({ text, role: 'error' as const })),
  ];
}

/** `2026-11-27 20:21:40 UTC`: the same wherever the diagram is drawn. */
function utc(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
