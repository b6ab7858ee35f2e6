import styles from './status-badge.module.css';

/** Statuses of executions, nodes, attempts and others, by what they mean for a reader. */
const TONES: Readonly<Record<string, string>> = {
  pending: 'cancelled',
  queued: 'running',
  active: 'running',
  running: 'running',
  paused: 'paused',
  waiting: 'paused',
  suspended: 'paused',
  held: 'held',
  retrying: 'retrying',
  done: 'completed',
  completed: 'completed',
  approved: 'completed',
  delivered: 'completed',
  enabled: 'completed',
  verified: 'completed',
  failed: 'failed',
  failing: 'failed',
  rejected: 'failed',
  limit_exceeded: 'retrying',
  stale: 'retrying',
  skipped: 'cancelled',
  cancelled: 'cancelled',
};

/** A status as its word on its colour; the colour says nothing that the word does not. */
export function StatusBadge({
  status,
  held = false,
  tone,
}: {
  readonly status: string;
  readonly held?: boolean;
  /** Default: as the status says. */
  readonly tone?: 'failed';
}) {
  const shown = held ? 'held' : status;
  return <span className={`${styles.badge} ${styles[tone ?? TONES[shown] ?? 'cancelled']}`}>{shown.replaceAll('_', ' ')}</span>;
}
