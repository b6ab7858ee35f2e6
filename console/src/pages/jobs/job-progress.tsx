import type { Job } from '../../../../src/client/index.ts';
import { Name } from '../../components/name.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import styles from './jobs.module.css';

/** How far a job is: a bar, and the numbers of its outcomes. */
export function JobProgress({ job }: { readonly job: Job }) {
  const { matched, processed, succeeded, skipped, failed, status, outcomes } = job;
  return (
    <div className={styles.progress}>
      <p className={styles.numbers}>
        <StatusBadge status={status} />{' '}
        <span>
          <b>{processed.toLocaleString()}</b> of <b>{matched === null ? '…' : matched.toLocaleString()}</b>
        </span>
        <span>{succeeded.toLocaleString()} succeeded</span>
        {skipped > 0 && <span>{skipped.toLocaleString()} skipped</span>}
        {failed > 0 && <span className={styles.failed}>{failed.toLocaleString()} failed</span>}
      </p>
      <progress
        className={styles.bar}
        data-status={status}
        aria-label="Progress of the job"
        {...(matched === null ? {} : { value: matched === 0 ? 1 : processed, max: Math.max(1, matched) })}
      />
      {outcomes !== null && succeeded > 0 && (
        <p className={styles.numbers}>
          <span>Of those retried:</span>
          {(['completed', 'running', 'paused', 'failed', 'cancelled', 'limit_exceeded'] as const)
            .filter((each) => outcomes[each] > 0)
            .map((each) => (
              <span key={each}>
                <StatusBadge status={each} /> {outcomes[each].toLocaleString()}
              </span>
            ))}
          {outcomes.removed > 0 && <span>{outcomes.removed.toLocaleString()} removed</span>}
        </p>
      )}
    </div>
  );
}

/** What a job does, on one line: `Retry · status failed`. */
export function JobTitle({ job }: { readonly job: Job }) {
  return (
    <>
      <b className={styles.action}>{job.action}</b> <Name text={filterText(job.filter)} maxChars={160} />
    </>
  );
}

function filterText(filter: Job['filter']): string {
  const parts = Object.entries(filter).map(([name, value]) => {
    if (name === 'execution_ids' && Array.isArray(value)) return `${value.length.toLocaleString()} chosen`;
    return `${name.replaceAll('_', ' ')} ${Array.isArray(value) ? value.join(', ') : String(value).slice(0, 300)}`;
  });
  return parts.length === 0 ? 'all executions' : parts.join(' · ');
}
