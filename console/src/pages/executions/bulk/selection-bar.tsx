import { Button } from '../../../components/button.tsx';
import styles from '../executions.module.css';
import type { BulkAction } from './bulk-dialog.tsx';

interface Props {
  /** Number of selected executions; null = all that match, which have not been counted. */
  readonly count: number | null;
  /** All that match are selected, not single ones. */
  readonly isAll: boolean;
  /** The text of the button that selects all that match; null = there is none. */
  readonly selectAll: string | null;
  readonly onAct: (action: BulkAction) => void;
  readonly onSelectAll: () => void;
  readonly onClear: () => void;
}

const ACTIONS: readonly { readonly action: BulkAction; readonly label: string }[] = [
  { action: 'retry', label: 'Retry' },
  { action: 'pause', label: 'Pause' },
  { action: 'resume', label: 'Resume' },
  { action: 'cancel', label: 'Cancel' },
];

/** What can be done with the selected executions. */
export function SelectionBar({ count, isAll, selectAll, onAct, onSelectAll, onClear }: Props) {
  return (
    <section className={styles.selection} aria-label="Selected executions">
      <span role="status">
        <strong>{`${isAll ? 'All ' : ''}${count?.toLocaleString() ?? 'that match'}`}</strong> selected
      </span>
      {ACTIONS.map(({ action, label }) => (
        <Button key={action} kind={action === 'cancel' ? 'danger' : 'plain'} onClick={() => onAct(action)}>
          {label}
        </Button>
      ))}
      {!isAll && selectAll !== null && (
        <Button kind="quiet" onClick={onSelectAll}>
          {selectAll}
        </Button>
      )}
      <Button kind="quiet" onClick={onClear}>
        Clear
      </Button>
    </section>
  );
}
