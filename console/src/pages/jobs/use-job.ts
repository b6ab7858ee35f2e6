import { type UseQueryResult, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Job } from '../../../../src/client/index.ts';
import { useTenantStream } from '../../live/tenant-stream.tsx';
import { useLiveQuery } from '../../live/use-live-query.ts';
import { useSession } from '../../session/session.ts';

const WAIT_MS = 50_000;

/** A job: its progress is read again while executions change, its end is waited for. */
export function useJob(id: string): UseQueryResult<Job> {
  const { client } = useSession();
  const { state } = useTenantStream();
  const queries = useQueryClient();
  const job: UseQueryResult<Job> = useLiveQuery({
    queryKey: ['job', id],
    queryFn: ({ signal }) => client.jobs.get(id, { signal }),
    changedBy: () => job.data === undefined || isLive(job.data),
  });

  const isRunning = job.data?.status === 'running';
  const isOpen = state.state === 'open';
  useEffect(() => {
    if (!isRunning || !isOpen) return;
    const gone = new AbortController();
    void (async () => {
      // A job that skips executions causes no events. After an outage, the effect runs again.
      while (!gone.signal.aborted) {
        const next = await client.jobs.get(id, { waitMs: WAIT_MS, signal: gone.signal }).catch(() => null);
        if (next === null || gone.signal.aborted) return;
        queries.setQueryData(['job', id], next);
        if (next.status !== 'running') return;
      }
    })();
    return () => gone.abort();
  }, [client, queries, id, isRunning, isOpen]);
  return job;
}

/** Whether the job, or what it has retried, still changes. */
function isLive({ status, outcomes }: Job): boolean {
  return status === 'running' || (outcomes !== null && outcomes.running + outcomes.paused > 0);
}
