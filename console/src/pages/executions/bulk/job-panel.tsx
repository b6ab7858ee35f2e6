import { Button } from '../../../components/button.tsx';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { CancelJob } from '../../jobs/cancel-job.tsx';
import { JobProgress, JobTitle } from '../../jobs/job-progress.tsx';
import { useJob } from '../../jobs/use-job.ts';
import styles from './job-panel.module.css';

/** The progress of the job that was started here, above the list. */
export function JobPanel({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const job = useJob(id);
  return (
    <section className={styles.panel} aria-label="Bulk job">
      <header className={styles.header}>
        <span className={styles.title}>{job.data === undefined ? 'Bulk job' : <JobTitle job={job.data} />}</span>
        <span className={styles.actions}>
          {job.data !== undefined && <CancelJob job={job.data} />}
          <a href={`#/jobs/${encodeURIComponent(id)}`}>Details</a>
          <Button kind="quiet" aria-label="Close the progress of the job" onClick={onClose}>
            ✕
          </Button>
        </span>
      </header>
      {job.error !== null && <ErrorNotice error={job.error} onRetry={() => void job.refetch()} />}
      {job.data !== undefined && <JobProgress job={job.data} />}
    </section>
  );
}
