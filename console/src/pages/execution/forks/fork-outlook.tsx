import type { ForkCheck } from '../../../../../src/api/operations/history.ts';
import type { PastDecision } from '../../../../../src/api/schemas/errors.ts';
import { Button } from '../../../components/button.tsx';
import { Name } from '../../../components/name.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import styles from './forks.module.css';

interface Props {
  readonly outlook: ForkCheck;
  /** It was asked for other values than those in the form. */
  readonly isStale: boolean;
  /** Forks at another sequence. */
  readonly onFork: (sequence: number) => void;
}

/** What a fork would do: where it begins, whether the log fits, and which decisions it would have. */
export function ForkOutlook({ outlook, isStale, onFork }: Props) {
  const { forked_from, fits, mismatch, decisions } = outlook;
  const changed = decisions.filter(({ would_change }) => would_change);
  const free = Math.min(...changed.map(({ last_free_sequence }) => last_free_sequence));
  return (
    <section className={styles.outlook} aria-label="What the fork does" aria-busy={isStale}>
      <p>
        It begins after event <strong>{forked_from.sequence}</strong>
        {decisions.length === 0 && fits && '; no decision was made before'}.
      </p>
      {!fits && (
        <p role="alert">
          The log does not fit this version: event {mismatch?.sequence}
          {mismatch?.node_id != null && (
            <>
              {' '}
              of <Name text={mismatch.node_id} maxChars={60} />
            </>
          )}
          : <Name text={mismatch?.problem ?? ''} maxChars={300} />
        </p>
      )}
      {decisions.length > 0 && (
        <>
          <h3>Decisions that the fork copies</h3>
          <ul className={styles.decisions}>
            {decisions.map((decision) => (
              <Decision key={`${decision.execution_id ?? ''} ${decision.sequence}`} decision={decision} />
            ))}
          </ul>
        </>
      )}
      {changed.length > 0 && (
        <p className={styles.warning} role="alert">
          Decisions were made on another state than this one.{' '}
          {free >= 1 && (
            <Button kind="quiet" onClick={() => onFork(free)}>
              Fork after event {free}, before them
            </Button>
          )}
        </p>
      )}
    </section>
  );
}

function Decision({
  decision: { execution_id, node_id, sequence, decision, user_id, would_change },
}: {
  readonly decision: PastDecision;
}) {
  return (
    <li>
      <StatusBadge status={decision} /> <Name text={node_id} maxChars={60} /> by <Name text={user_id} maxChars={60} />
      <span className={styles.hint}>
        {' '}
        event {sequence}
        {execution_id !== undefined && ' of a child'}
      </span>
      {would_change && <strong className={styles.changed}> was shown another state</strong>}
    </li>
  );
}
