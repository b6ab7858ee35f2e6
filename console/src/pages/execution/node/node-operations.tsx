import { useMemo, useState } from 'react';
import { type NodeOperation, NodeOperations } from '../../../../../machines/history/node-operations.ts';
import type { NodeVisit } from '../../../../../machines/history/node-visit.ts';
import { oneLine } from '../../../../../machines/views/text.ts';
import type { Event } from '../../../../../src/api/schemas/events.ts';
import { duration } from '../../../../../src/views/time.ts';
import { Button } from '../../../components/button.tsx';
import { JsonView } from '../../../components/json-view.tsx';
import { Name } from '../../../components/name.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { GrowingLog } from './growing-log.ts';
import styles from './node-panel.module.css';

const PAGE = 50;

interface Props {
  readonly visit: NodeVisit;
  readonly events: readonly Event[];
}

/** The journal of a durable function: its operations in the order in which they began, and one of them in full. */
export function NodeOperationsPanel({ visit, events }: Props) {
  const [first, setFirst] = useState(0);
  const [chosen, setChosen] = useState<number | null>(null);
  const { activation } = visit;
  const reader = useMemo(() => new GrowingLog(() => new NodeOperations(activation)), [activation]);
  const operations = reader.read(events).all();
  if (operations.length === 0) return null;
  const shown = operations.slice(first, first + PAGE);
  const one = operations.find(({ operation }) => operation === chosen);
  const failed = operations.filter(({ status }) => status === 'failed').length;
  return (
    <>
      <section className={styles.attempts} aria-label="Operations">
        <p>
          {operations.length.toLocaleString()} {operations.length === 1 ? 'operation' : 'operations'}
          <span className={styles.muted}>{failed > 0 && `, ${failed} failed`}</span>
        </p>
        <ul>
          {shown.map((each) => (
            <li key={each.operation}>
              <button type="button" aria-current={each.operation === chosen} onClick={() => setChosen(each.operation)}>
                <span>
                  <span className={styles.muted}>{each.operation}.</span> <Name text={each.name} maxChars={60} />
                </span>
                <StatusBadge status={each.status} />
                <span className={styles.muted}>{each.durationMs === null ? '' : duration(each.durationMs)}</span>
              </button>
            </li>
          ))}
        </ul>
        {first > 0 && <Button onClick={() => setFirst(first - PAGE)}>Earlier operations</Button>}
        {first + PAGE < operations.length && <Button onClick={() => setFirst(first + PAGE)}>Later operations</Button>}
      </section>
      {one !== undefined && <OneOperation operation={one} />}
    </>
  );
}

function OneOperation({ operation: { name, kind, attempts, output, error, timedOut } }: { readonly operation: NodeOperation }) {
  const said = [kind, ...(attempts > 1 ? [`${attempts} attempts`] : []), ...(timedOut ? ['timed out'] : [])];
  return (
    <section className={styles.details} aria-label={`Operation ${oneLine(name, 60)}`}>
      <h3>
        <Name text={name} maxChars={120} />
      </h3>
      <p className={styles.muted}>{said.join(', ')}</p>
      {error !== undefined && (
        <p className={styles.message}>
          <Name text={error} maxChars={2_000} />
        </p>
      )}
      {output !== undefined && <JsonView value={output} label="Result" />}
    </section>
  );
}
