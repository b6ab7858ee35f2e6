import type { NodeStatus } from './execution-overlay.ts';

/** Fill and outline of a node by its status; dark text is readable on them. */
export const STATUS_COLOURS: Readonly<Record<NodeStatus, { readonly fill: string; readonly line: string }>> = {
  queued: { fill: '#dbeafe', line: '#2563eb' },
  active: { fill: '#bfdbfe', line: '#1d4ed8' },
  waiting: { fill: '#fef3c7', line: '#b45309' },
  held: { fill: '#fae8ff', line: '#a21caf' },
  retrying: { fill: '#ffedd5', line: '#c2410c' },
  done: { fill: '#dcfce7', line: '#15803d' },
  failed: { fill: '#fee2e2', line: '#b91c1c' },
  skipped: { fill: '#f3f4f6', line: '#9ca3af' },
  cancelled: { fill: '#e5e7eb', line: '#6b7280' },
};
