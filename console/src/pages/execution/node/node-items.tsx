import { useMemo, useState } from 'react';
import { NodeItems } from '../../../../../machines/history/node-items.ts';
import { itemsText, type NodeVisit, type VisitStatus } from '../../../../../machines/history/node-visit.ts';
import { NodeVisits } from '../../../../../machines/history/node-visits.ts';
import type { Event } from '../../../../../src/api/schemas/events.ts';
import { duration } from '../../../../../src/views/time.ts';
import { Button } from '../../../components/button.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { AttemptDetails } from './attempt-details.tsx';
import { GrowingLog } from './growing-log.ts';
import styles from './node-panel.module.css';

const PAGE = 50;
const STATUSES: readonly VisitStatus[] = ['failed', 'active', 'queued', 'held', 'retrying', 'done', 'cancelled'];

interface Props {
  readonly node: string;
  readonly visit: NodeVisit;
  readonly events: readonly Event[];
}

/** How far a node is with its list, its items by status, and one of them in full. */
export function NodeItemsPanel({ node, visit, events }: Props) {
  const [status, setStatus] = useState<VisitStatus | ''>('');
  const [after, setAfter] = useState(-1);
  const [chosen, setChosen] = useState<number | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another node has other items
  const reader = useMemo(() => new GrowingLog(() => new NodeItems()), [node]);
  if (visit.items === undefined) return null;
  const { items, next } = reader.read(events).page({ after, limit: PAGE, ...(status === '' ? {} : { status }) });
  return (
    <section className={styles.attempts} aria-label="Items">
      <p>
        {itemsText(visit.items)}
        <span className={styles.muted}>{visit.items.open > 0 && `, ${visit.items.open} in progress`}</span>
      </p>
      <label>
        Show{' '}
        <select
          value={status}
          onChange={(event) => {
            setStatus(event.target.value as VisitStatus | '');
            setAfter(-1);
          }}
        >
          <option value="">all that have begun</option>
          {STATUSES.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      <ul>
        {items.map((one) => (
          <li key={one.item}>
            <button type="button" aria-current={one.item === chosen} onClick={() => setChosen(one.item)}>
              <span>Item {one.item}</span>
              <StatusBadge status={one.status} />
              <span className={styles.muted}>{one.error ?? (one.duration_ms === null ? '' : duration(one.duration_ms))}</span>
            </button>
          </li>
        ))}
      </ul>
      {after >= 0 && <Button onClick={() => setAfter(-1)}>First items</Button>}
      {next !== null && <Button onClick={() => setAfter(next)}>Next items</Button>}
      {chosen !== null && <OneItem node={node} item={chosen} activation={visit.activation} events={events} />}
    </section>
  );
}

interface OneItemProps {
  readonly node: string;
  readonly item: number;
  readonly activation: number;
  readonly events: readonly Event[];
}

function OneItem({ node, item, activation, events }: OneItemProps) {
  const own = events.filter(({ data }) => 'item' in data && data.item === item);
  const visits = new NodeVisits(node, undefined, item);
  for (const event of own) visits.apply(event);
  const visit = visits.all(false).findLast((each) => each.activation <= activation);
  if (visit === undefined) return null;
  return (
    <>
      <h3>Item {item}</h3>
      <AttemptDetails node={node} visit={visit} attempt={visit.attempts.at(-1)} events={own} />
    </>
  );
}
