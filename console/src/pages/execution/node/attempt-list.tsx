import { oneLine } from '../../../../../machines/views/text.ts';
import type { NodeAttempt, NodeVisit } from '../../../../../src/views/node-visit.ts';
import { duration } from '../../../../../src/views/time.ts';
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
  const omitted = visits.reduce((sum, visit) => sum + visit.attempts_total, 0) - shown.length;
  return (
    <nav className={styles.attempts} aria-label={`Attempts of ${oneLine(node, 120)}`}>
      <p className={styles.muted}>
        {hasVisits && `${total.toLocaleString()} visits, `}
        {all.length + Math.max(0, omitted + shown.length - all.length)} attempts
      </p>
      <ul>
        {shown.map(({ visit, attempt }) => (
          <li key={`${visit.activation}.${attempt.attempt}`}>
            <button
              type="button"
              aria-current={visit.activation === selected.visit.activation && attempt.attempt === selected.attempt?.attempt}
              onClick={() => selectNode(node, { activation: visit.activation, attempt: attempt.attempt })}
            >
              <span>
                {hasVisits && `Visit ${visit.activation}, `}attempt {attempt.attempt + 1}
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
