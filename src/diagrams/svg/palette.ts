import type { NodeStatus } from '../../../machines/views/execution-overlay.ts';
import { STATUS_COLOURS } from '../../../machines/views/status-colours.ts';

/** Names of the colours; `fill-…` and `line-…` belong to node statuses. */
type Colour =
  | 'paper'
  | 'ink'
  | 'muted'
  | 'line'
  | 'node'
  | 'frame'
  | 'back'
  | 'accent'
  | `fill-${NodeStatus}`
  | `line-${NodeStatus}`;
export type Palette = Readonly<Record<Colour, string>>;

export const STATUSES = Object.keys(STATUS_COLOURS) as readonly NodeStatus[];

function statuses(of: (status: NodeStatus) => readonly [fill: string, line: string]): Palette {
  return Object.fromEntries(
    STATUSES.flatMap((status) => {
      const [fill, line] = of(status);
      return [
        [`fill-${status}`, fill],
        [`line-${status}`, line],
      ];
    }),
  ) as Palette;
}

export const LIGHT: Palette = {
  ...statuses((status) => [STATUS_COLOURS[status].fill, STATUS_COLOURS[status].line]),
  paper: '#ffffff',
  ink: '#111827',
  muted: '#4b5563',
  line: '#6b7280',
  node: '#f8fafc',
  frame: '#f1f5f9',
  back: '#7c3aed',
  accent: '#0f766e',
};

const DARK_STATUSES: Readonly<Record<NodeStatus, readonly [string, string]>> = {
  queued: ['#172554', '#60a5fa'],
  active: ['#1e3a8a', '#93c5fd'],
  waiting: ['#451a03', '#fbbf24'],
  held: ['#4a044e', '#e879f9'],
  retrying: ['#431407', '#fb923c'],
  done: ['#052e16', '#4ade80'],
  failed: ['#450a0a', '#f87171'],
  skipped: ['#1f2937', '#6b7280'],
  cancelled: ['#1f2937', '#9ca3af'],
};

export const DARK: Palette = {
  ...statuses((status) => DARK_STATUSES[status]),
  paper: '#0f172a',
  ink: '#f1f5f9',
  muted: '#a8b3c4',
  line: '#94a3b8',
  node: '#1e293b',
  frame: '#162036',
  back: '#c4b5fd',
  accent: '#5eead4',
};

/** CSS variables of `selector` for the light and dark palettes, chosen by the reader's preference. */
export function variables(selector: string): string {
  const list = (palette: Palette): string =>
    Object.entries(palette)
      .map(([name, value]) => `--jj-${name}:${value}`)
      .join(';');
  return `${selector}{color-scheme:light dark;${list(LIGHT)}}@media(prefers-color-scheme:dark){${selector}{${list(DARK)}}}`;
}

/** A palette of references to these variables. */
export const ADAPTIVE = Object.fromEntries(Object.keys(LIGHT).map((name) => [name, `var(--jj-${name})`])) as Palette;
