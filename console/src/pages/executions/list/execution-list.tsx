// biome-ignore-all lint/a11y/useSemanticElements: rows of a virtual grid stand at a place of their own
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and names its active row
import { type KeyboardEvent, type Ref, useEffect, useImperativeHandle, useLayoutEffect } from 'react';
import type { ExecutionItem } from '../../../../../src/client/index.ts';
import { rowAt } from '../../../../../src/views/list-window.ts';
import { Button } from '../../../components/button.tsx';
import { useNarrow } from '../../../components/use-narrow.ts';
import styles from './execution-list.module.css';
import { ExecutionRow, MissingRow } from './execution-row.tsx';
import type { ExecutionSource, SourceState } from './execution-source.ts';
import { useScroll } from './use-scroll.ts';

/** Heights in pixels, as in the style sheet. */
const ROW = { wide: 36, narrow: 76 };
const HEAD = { wide: 32, narrow: 0 };
/** Rows that are rendered beyond the visible ones, for scrolling between two frames. */
const OVERSCAN = 8;
const COLUMNS = ['Status', 'Id', 'Workflow', 'Labels', 'Started', 'Duration', 'Error'];

export interface ExecutionListHandle {
  /** Scrolls so that the row is visible. */
  reveal(rank: number): void;
  focus(): void;
}

interface Props {
  readonly source: ExecutionSource;
  readonly state: SourceState;
  readonly ref: Ref<ExecutionListHandle>;
  readonly activeRank: number | null;
  readonly isSelected: (id: string) => boolean;
  readonly isAllSelected: boolean;
  readonly canSelect: boolean;
  readonly onSelect: (execution: ExecutionItem, rank: number, withRange: boolean) => void;
  readonly onSelectAll: (selected: boolean) => void;
  readonly onOpen: (execution: ExecutionItem) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** The executions as rows of which only the visible ones exist. The scroll bar stands for the whole list. */
export function ExecutionList(props: Props) {
  const { source, state, ref, activeRank, isSelected, isAllSelected, canSelect, onSelect, onSelectAll, onOpen, onKeyDown } =
    props;
  const { window: loaded, hasMore, newer, shift } = state;
  const narrow = useNarrow();
  const size = narrow ? 'narrow' : 'wide';
  const total = state.total + (hasMore ? 1 : 0);
  const { frame, scroll, move } = useScroll(total, ROW[size], HEAD[size]);
  const { first, end } = scroll.visible;
  const isAtTop = scroll.isAtTop;

  useEffect(() => source.show({ first, end }, isAtTop), [source, first, end, isAtTop]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each shift moves the list once
  useLayoutEffect(() => {
    if (shift.rows !== 0) move((each) => each.moveBy(shift.rows));
  }, [shift.number, move]);
  useImperativeHandle(
    ref,
    () => ({ reveal: (rank) => move((each) => each.reveal(rank)), focus: () => frame.current?.focus({ preventScroll: true }) }),
    [move, frame],
  );

  const ranks = Array.from(
    { length: Math.max(0, Math.min(total, end + OVERSCAN) - Math.max(0, first - OVERSCAN)) },
    (_, index) => Math.max(0, first - OVERSCAN) + index,
  );
  const active = activeRank === null ? null : rowAt(loaded, activeRank);
  const cells = COLUMNS.length + (canSelect ? 1 : 0);
  return (
    <div className={styles.list} data-select={canSelect}>
      {newer > 0 && (
        <Button
          kind="primary"
          className={styles.newer}
          onClick={() => {
            move((each) => each.moveTo(0));
            source.showNewest();
          }}
        >
          ↑ {newer.toLocaleString()} new
        </Button>
      )}
      <div
        ref={frame}
        className={styles.frame}
        role="grid"
        aria-label="Executions"
        aria-rowcount={hasMore ? -1 : total + 1}
        aria-multiselectable={canSelect}
        aria-activedescendant={active === null ? undefined : `execution-${active.id}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPointerEnter={() => {
          source.isPointerOver = true;
        }}
        onPointerLeave={() => {
          source.isPointerOver = false;
        }}
      >
        <div role="rowgroup" className={styles.head}>
          <div role="row" aria-rowindex={1} className={styles.headRow}>
            {canSelect && (
              <div role="columnheader" className={styles.check}>
                <label>
                  <input
                    type="checkbox"
                    tabIndex={-1}
                    checked={isAllSelected}
                    aria-label="Select all that match"
                    onChange={(event) => onSelectAll(event.target.checked)}
                  />
                </label>
              </div>
            )}
            {COLUMNS.map((name) => (
              <div key={name} role="columnheader" className={styles[name.toLowerCase()]}>
                {name}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" className={styles.canvas} style={{ height: scroll.height }}>
          {ranks.map((rank) => {
            const execution = rowAt(loaded, rank);
            const top = scroll.topOf(rank);
            if (execution === null) return <MissingRow key={rank} rank={rank} top={top} cells={cells} />;
            return (
              <ExecutionRow
                key={execution.id}
                execution={execution}
                rank={rank}
                top={top}
                isActive={rank === activeRank}
                isSelected={isSelected(execution.id)}
                canSelect={canSelect}
                onSelect={onSelect}
                onOpen={onOpen}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}
