import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import type { Event } from '../../../../../src/api/schemas/events.ts';
import { Button } from '../../../components/button.tsx';
import { useParameters } from '../../../routing/hash-location.ts';
import { EventRow } from './event-row.tsx';
import styles from './events-tab.module.css';

const ROW_PX = 30;
const MOVES: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: 15, PageUp: -15 };

interface Props {
  /** Grows in place. */
  readonly events: readonly Event[];
  readonly count: number;
  /** Further buttons below the list. */
  readonly children: ReactNode;
}

/** Renders the rows in view. It follows the end of the log as long as the reader is there. */
export function EventList({ events, count, children }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const [parameters, change] = useParameters();
  const opened = Number(parameters.get('event') ?? Number.NaN);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => host.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => events[index]?.sequence ?? index,
    overscan: 12,
  });
  const latest = useRef(rows);
  latest.current = rows;

  // Where a link points to; a row that the reader opens is in view already.
  const pointedTo = useRef(opened);
  const index = Number.isNaN(pointedTo.current) ? -1 : indexOf(events, pointedTo.current);
  useEffect(() => {
    if (index === -1) return;
    latest.current.scrollToIndex(index, { align: 'center' });
    pointedTo.current = Number.NaN;
  }, [index]);

  const isAtEnd = useRef(false);
  useEffect(() => {
    if (isAtEnd.current && count > 0) latest.current.scrollToIndex(count - 1, { align: 'end' });
  }, [count]);

  const focusRow = (at: number): void => {
    const target = Math.min(count - 1, Math.max(0, at));
    rows.scrollToIndex(target);
    requestAnimationFrame(() => host.current?.querySelector<HTMLElement>(`[data-index="${target}"] > button`)?.focus());
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const { target } = event;
    if (!(target instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = target.closest<HTMLElement>('[data-index]');
    if (row === null || target.parentElement !== row) return;
    const by = MOVES[event.key];
    const to = by !== undefined ? Number(row.dataset.index) + by : { Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    focusRow(to);
  };

  return (
    <>
      <div
        ref={host}
        className={styles.list}
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          isAtEnd.current = scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - ROW_PX;
        }}
      >
        <ol className={styles.rows} style={{ height: rows.getTotalSize() }} onKeyDown={onKeyDown} aria-label="Events">
          {rows.getVirtualItems().map(({ key, index: at, start }) => {
            const event = events[at];
            if (event === undefined) return null;
            return (
              <li
                key={key}
                ref={rows.measureElement}
                data-index={at}
                className={styles.row}
                style={{ transform: `translateY(${start}px)` }}
                aria-setsize={count}
                aria-posinset={at + 1}
              >
                <EventRow
                  event={event}
                  first={events[0]}
                  isOpen={event.sequence === opened}
                  onToggle={() => change({ event: event.sequence === opened ? undefined : String(event.sequence) })}
                />
              </li>
            );
          })}
        </ol>
      </div>
      <span className={styles.ends}>
        {children}
        <Button kind="quiet" onClick={() => focusRow(0)}>
          To the start
        </Button>
        <Button kind="quiet" onClick={() => focusRow(count - 1)}>
          To the end
        </Button>
      </span>
    </>
  );
}

/** By sequence, which the events are in the order of; -1 = not there (yet). */
function indexOf(events: readonly Event[], sequence: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle]?.sequence ?? 0) < sequence) low = middle + 1;
    else high = middle;
  }
  return events[low]?.sequence === sequence ? low : -1;
}
