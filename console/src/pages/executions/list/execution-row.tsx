// biome-ignore-all lint/a11y/useSemanticElements: rows of a virtual grid stand at a place of their own
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and names its active row
import { memo } from 'react';
import type { ExecutionItem } from '../../../../../src/client/index.ts';
import { shortId } from '../../../../../src/views/short-id.ts';
import { CopyButton } from '../../../components/copy-button.tsx';
import { Name } from '../../../components/name.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { Elapsed, Time } from '../../../components/time.tsx';
import styles from './execution-list.module.css';

const MAX_LABELS = 2;
/** Longer errors are cut before they are prepared for display. */
const MAX_ERROR = 400;

interface Props {
  readonly execution: ExecutionItem;
  readonly rank: number;
  readonly top: number;
  readonly isActive: boolean;
  readonly isSelected: boolean;
  readonly canSelect: boolean;
  readonly onSelect: (execution: ExecutionItem, rank: number, withRange: boolean) => void;
  readonly onOpen: (execution: ExecutionItem) => void;
}

/** A row of the list. A click anywhere opens it; the checkbox selects it. */
export const ExecutionRow = memo(function ExecutionRow(props: Props) {
  const { execution, rank, top, isActive, isSelected, canSelect, onSelect, onOpen } = props;
  const { id, status, workflow_id, workflow_version, labels, created_at, completed_at, error } = execution;
  const short = shortId(id);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid has the keys
    <div
      id={`execution-${id}`}
      role="row"
      tabIndex={-1}
      className={styles.row}
      style={{ top }}
      data-active={isActive}
      data-failed={error !== undefined}
      aria-rowindex={rank + 2}
      aria-selected={canSelect ? isSelected : undefined}
      onClick={(event) => {
        if (!(event.target as Element).closest('a, button, input, label') && getSelection()?.isCollapsed !== false)
          onOpen(execution);
      }}
    >
      {canSelect && (
        <div role="gridcell" className={styles.check}>
          <label>
            <input
              type="checkbox"
              tabIndex={-1}
              checked={isSelected}
              aria-label={`Select ${short}`}
              onChange={(event) => onSelect(execution, rank, (event.nativeEvent as MouseEvent).shiftKey === true)}
            />
          </label>
        </div>
      )}
      <div role="gridcell" className={styles.status}>
        <StatusBadge status={status} />
      </div>
      <div role="gridcell" className={styles.id}>
        <a href={`#/executions/${id}`} tabIndex={-1} title={id}>
          <code>…{short}</code>
        </a>
        <CopyButton text={() => id} what={`the id …${short}`} tabIndex={-1} />
      </div>
      <div role="gridcell" className={styles.workflow}>
        <Name text={workflow_id} maxChars={80} />{' '}
        <span className={styles.version}>{<Name text={workflow_version} maxChars={24} />}</span>
      </div>
      <div role="gridcell" className={styles.labels}>
        <Labels labels={labels} />
      </div>
      <div role="gridcell" className={styles.started}>
        <Time at={created_at} />
      </div>
      <div role="gridcell" className={styles.duration}>
        <Elapsed from={created_at} to={completed_at} />
      </div>
      <div role="gridcell" className={styles.error} data-status={status}>
        {error !== undefined && <Name text={error.slice(0, MAX_ERROR)} />}
      </div>
    </div>
  );
});

function Labels({ labels }: { readonly labels: Readonly<Record<string, string>> }) {
  const all = Object.entries(labels);
  const others = all.length - MAX_LABELS;
  return (
    <>
      {all.slice(0, MAX_LABELS).map(([key, value]) => (
        <span key={key} className={styles.label}>
          <Name text={`${key}: ${value.slice(0, 100)}`} maxChars={60} />
        </span>
      ))}
      {others > 0 && <span className={styles.more}>+{others}</span>}
    </>
  );
}

/** Stands for a row that is being loaded. */
export function MissingRow({ rank, top, cells }: { readonly rank: number; readonly top: number; readonly cells: number }) {
  return (
    <div role="row" className={styles.row} style={{ top }} aria-rowindex={rank + 2} data-missing="true">
      <div role="gridcell" className={styles.missing} aria-colspan={cells}>
        <span className="visually-hidden">Loading</span>
      </div>
    </div>
  );
}
