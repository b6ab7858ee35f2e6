import type { VisitStatus } from '../../../machines/history/node-visit.ts';

/** The character that stands for the status of a node. */
export const GLYPHS: Readonly<Record<VisitStatus, string>> = {
  queued: '▹',
  active: '▸',
  waiting: '◆',
  held: '◇',
  retrying: '↻',
  done: '✓',
  failed: '✗',
  skipped: '–',
  cancelled: '⊘',
};
