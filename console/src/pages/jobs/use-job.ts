import { type UseQueryResult, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Job } from '../../../../src/client/index.ts';
import { useTenantStream } from '../../live/tenant-stream.tsx';
import { useLiveQuery } from '../../live/use-live-query.ts';
import { useSession } from '../../session/session.ts';

/** In a cluster, progress on another member is noticed when this is over. */
const WAIT_MS = 5_000;
/** A job may make progress a hundred times a second. */
const MIN_INTERVAL_MS = 500;

/** A job, whose progress is waited for; what has become of retried executions is read again while these change. */
export function useJob(id: string): UseQueryResult<Job> {
  const { client } = useSession();
  const { state } = useTenantStream();
  const queries = useQueryClient();
  const job: UseQueryResult<Job> = useLiveQuery({
    queryKey: ['job', id],
    queryFn: ({ signal }) => client.jobs.get(id, { signal }),
    changedBy: () => job.data !== undefined && changesAfterwards(job.data),
  });

  const isRunning = job.data?.status === 'running';
  const isOpen = state.state === 'open';
  useEffect(() => {
    if (!isRunning || !isOpen) return;
    const gone = new AbortController();
    void (async () => {
      let seen = queries.getQueryData<Job>(['job', id]);
      while (seen?.status === 'running') {
        const { updated_at: updatedAfter } = seen;
        // After an outage, the effect runs again.
        seen = await client.jobs.get(id, { waitMs: WAIT_MS, updatedAfter, signal: gone.signal }).catch(() => undefined);
        if (seen === undefined || gone.signal.aborted) return;
        queries.setQueryData(['job', id], seen);
        await new Promise((resolve) => setTimeout(resolve, MIN_INTERVAL_MS));
      }
    })();
    return () => gone.abort();
  }, [client, queries, id, isRunning, isOpen]);
  return job;
}

/** Whether what a job has retried still goes on. */
function changesAfterwards({ status, outcomes }: Job): boolean {
  return status !== 'running' && outcomes !== null && outcomes.running + outcomes.paused > 0;
}
