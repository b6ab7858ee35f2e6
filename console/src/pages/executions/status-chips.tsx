import type { ExecutionCounts } from '../../../../src/client/index.ts';
import styles from './executions.module.css';

const STATUSES = ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled', 'limit_exceeded'] as const;

interface Props {
  /** Null = not known yet. */
  readonly counts: ExecutionCounts | null;
  readonly selected: readonly string[];
  readonly onSelect: (statuses: readonly string[]) => void;
}

/** Numbers by status, which choose what the list shows. With Ctrl, ⌘ or Shift, a status is added or taken away. */
export function StatusChips({ counts, selected, onSelect }: Props) {
  const toggle = (status: string, isAdded: boolean): void => {
    const others = selected.filter((each) => each !== status);
    if (isAdded) onSelect(selected.includes(status) ? others : [...others, status]);
    else onSelect(selected.length === 1 && selected[0] === status ? [] : [status]);
  };
  return (
    <fieldset className={styles.chips}>
      <legend className="visually-hidden">Status</legend>
      <Chip label="All" count={counts?.total} isSelected={selected.length === 0} onClick={() => onSelect([])} />
      {STATUSES.map((status) => (
        <Chip
          key={status}
          label={status.replaceAll('_', ' ')}
          status={status}
          count={counts?.counts[status]}
          isSelected={selected.includes(status)}
          onClick={(isAdded) => toggle(status, isAdded)}
        />
      ))}
    </fieldset>
  );
}

interface ChipProps {
  readonly label: string;
  readonly status?: string;
  readonly count: number | undefined;
  readonly isSelected: boolean;
  readonly onClick: (isAdded: boolean) => void;
}

function Chip({ label, status, count, isSelected, onClick }: ChipProps) {
  return (
    <button
      type="button"
      className={styles.chip}
      aria-pressed={isSelected}
      data-status={status}
      onClick={({ ctrlKey, metaKey, shiftKey }) => onClick(ctrlKey || metaKey || shiftKey)}
    >
      {label} <span className={styles.count}>{count === undefined ? '–' : count.toLocaleString()}</span>
    </button>
  );
}
