import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, type RefObject, useEffect, useId, useState } from 'react';
import { Name } from '../../components/name.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { Elapsed, Time } from '../../components/time.tsx';
import styles from './approvals.module.css';
import type { PendingRow } from './use-inbox.ts';

const ROW_REM = 4.25;
/** So many rows before the end, the next page is read. */
const READ_AHEAD = 30;

interface Props {
  readonly listRef: RefObject<HTMLDivElement | null>;
  readonly rows: readonly PendingRow[];
  /** Of the selected row. */
  readonly index: number;
  readonly onSelect: (key: string) => void;
  readonly onNearEnd: () => void;
}

/** Pending approvals as a list box. Only rows that can be seen are rendered. */
export function InboxList({ listRef, rows, index, onSelect, onNearEnd }: Props) {
  const id = useId();
  const [rowPx] = useState(() => ROW_REM * Number.parseFloat(getComputedStyle(document.documentElement).fontSize));
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => listRef.current,
    estimateSize: () => rowPx,
    getItemKey: (at) => rows[at]?.key ?? at,
    overscan: 6,
  });
  useEffect(() => {
    if (index >= 0) virtual.scrollToIndex(index, { align: 'auto' });
  }, [index, virtual]);
  const visible = virtual.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - READ_AHEAD) onNearEnd();
  }, [last, rows.length, onNearEnd]);

  return (
    <div
      ref={listRef}
      className={styles.list}
      role="listbox"
      aria-label="Pending approvals"
      aria-activedescendant={visible.some((row) => row.index === index) ? `${id}-${index}` : undefined}
      tabIndex={0}
    >
      <div className={styles.rows} style={{ height: virtual.getTotalSize() }}>
        {visible.map(({ index: at, key, start, size }) => {
          const row = rows[at];
          if (row === undefined) return null;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys are those of the list box
            // biome-ignore lint/a11y/useFocusableInteractive: the list box has the focus
            <div
              key={key}
              id={`${id}-${at}`}
              role="option"
              aria-selected={at === index}
              aria-setsize={rows.length}
              aria-posinset={at + 1}
              className={styles.row}
              data-ended={row.outcome !== null}
              style={{ height: size, transform: `translateY(${start}px)` }}
              onClick={() => onSelect(row.key)}
            >
              <Row row={row} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

const Row = memo(({ row: { item, outcome } }: { readonly row: PendingRow }) => (
  <>
    <span className={styles.message}>
      <Name text={item.message === '' ? 'No message' : item.message} maxChars={160} />
    </span>
    <span className={styles.waited}>
      {outcome === null ? <Elapsed from={item.waiting_since} to={null} /> : <Ended outcome={outcome} />}
    </span>
    <span className={styles.place}>
      {item.kind === 'tool' && <span className={styles.kind}>tool</span>} <Name text={item.workflow_id} maxChars={60} /> ·{' '}
      <Name text={item.node_id} maxChars={60} />
    </span>
    {outcome === null && item.expires_at !== null && (
      <span className={styles.expires}>
        ends <Time at={item.expires_at} />
      </span>
    )}
  </>
));

/** What became of an approval while the list was shown. */
function Ended({ outcome: { status, by } }: { readonly outcome: NonNullable<PendingRow['outcome']> }) {
  if (status === 'ended') return <StatusBadge status="no longer waits" />;
  return (
    <>
      <StatusBadge status={status} />
      {by !== null && (
        <>
          {' '}
          by <Name text={by} maxChars={30} />
        </>
      )}
    </>
  );
}
