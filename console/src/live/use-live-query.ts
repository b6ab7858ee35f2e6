import { type QueryKey, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { TenantChange } from '../../../src/client/index.ts';
import { useTenantStream } from './tenant-stream.tsx';

/** A busy tenant has thousands of events a second: what they change is read at most this often. */
const MIN_INTERVAL_MS = 1_000;

interface LiveQuery<Data> {
  readonly queryKey: QueryKey;
  readonly queryFn: (context: { readonly signal: AbortSignal }) => Promise<Data>;
  /** Whether an event may have changed the data. */
  readonly changedBy: (event: TenantChange['event']) => boolean;
}

/** Data of the API that is read again when an event says that it may have changed, and when the stream was lost meanwhile. */
export function useLiveQuery<Data>({ queryKey, queryFn, changedBy }: LiveQuery<Data>): UseQueryResult<Data> {
  const { subscribe, state } = useTenantStream();
  // Nothing listened while the page was not shown.
  const query = useQuery({ queryKey, queryFn, refetchOnMount: 'always' });
  const latest = useRef({ changedBy, refetch: query.refetch });
  latest.current = { changedBy, refetch: query.refetch };

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    let readAtMs = 0;
    const read = (): void => {
      timer = null;
      readAtMs = performance.now();
      void latest.current.refetch();
    };
    const stop = subscribe((event) => {
      if (timer !== null || !latest.current.changedBy(event)) return;
      timer = setTimeout(read, Math.max(0, readAtMs + MIN_INTERVAL_MS - performance.now()));
    });
    return () => {
      stop();
      if (timer !== null) clearTimeout(timer);
    };
  }, [subscribe]);

  const wasOpen = useRef(true);
  useEffect(() => {
    // Data that was read before an outage.
    if (state.state === 'open' && !wasOpen.current) void latest.current.refetch();
    if (state.state === 'waiting') wasOpen.current = false;
    if (state.state === 'open') wasOpen.current = true;
  }, [state]);
  return query;
}
