import type { FormEvent } from 'react';
import type { NodeAttempt, NodeVisit } from '../../../../../machines/history/node-visit.ts';
import { oneLine } from '../../../../../machines/views/text.ts';
import { duration } from '../../../../../src/views/time.ts';
import { Button } from '../../../components/button.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { useExecutionView } from '../execution-view.ts';
import styles from './node-panel.module.css';

/** Only the latest ones are listed: a loop may have visited a node thousands of times. */
const MAX_LISTED = 200;

interface Props {
  readonly node: string;
  readonly visits: readonly NodeVisit[];
  readonly total: number;
  readonly selected: { readonly visit: NodeVisit; readonly attempt: NodeAttempt | undefined };
}

/** The attempts of a node, the latest first, to choose from. */
export function AttemptList({ node, visits, total, selected }: Props) {
  const { selectNode } = useExecutionView();
  const all = visits.flatMap((visit) => visit.attempts.map((attempt) => ({ visit, attempt })));
  const shown = all.slice(-MAX_LISTED).reverse();
  if (all.length < 2) return null;
  const hasVisits = total > 1;
  const isCut = total > visits.length || shown.length < all.length;
  return (
    <nav className={styles.attempts} aria-label={`Attempts of ${oneLine(node, 120)}`}>
      <p className={styles.muted}>
        {hasVisits ? `${total.toLocaleString()} visits` : `${all.length} attempts`}
        {isCut && `; the last ${shown.length} attempts:`}
      </p>
      {isCut && <GoToVisit total={total} onGo={(activation) => selectNode(node, { activation, attempt: 0 })} />}
      <ul>
        {shown.map(({ visit, attempt }) => (
          <li key={`${visit.activation}.${attempt.attempt}`}>
            <button
              type="button"
              aria-current={visit.activation === selected.visit.activation && attempt.attempt === selected.attempt?.attempt}
              onClick={() => selectNode(node, { activation: visit.activation, attempt: attempt.attempt })}
            >
              <span>
                {hasVisits && `Visit ${visit.activation}`}
                {hasVisits && visit.attempts_total > 1 && ', '}
                {(!hasVisits || visit.attempts_total > 1) && `attempt ${attempt.attempt + 1}`}
              </span>
              <StatusBadge status={attempt.status} />
              <span className={styles.muted}>{attempt.duration_ms === null ? '' : duration(attempt.duration_ms)}</span>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Earlier visits are not listed, but can be shown. */
function GoToVisit({ total, onGo }: { readonly total: number; readonly onGo: (activation: number) => void }) {
  const go = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    onGo(Number(new FormData(event.currentTarget).get('visit')));
  };
  return (
    <form className={styles.goto} onSubmit={go}>
      <label>
        Visit <input name="visit" type="number" min={1} max={total} required />
      </label>
      <Button type="submit">Show</Button>
    </form>
  );
}
