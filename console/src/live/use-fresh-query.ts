import { keepPreviousData, type QueryKey, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useTenantStream } from './tenant-stream.tsx';

interface FreshQuery<Data> {
  readonly queryKey: QueryKey;
  readonly queryFn: (context: { readonly signal: AbortSignal }) => Promise<Data>;
  readonly enabled?: boolean;
}

/**
 * Data of the API that no event of the stream concerns, such as tokens: read again when the page is opened, the window gets the focus, an
 * action is done, and after an outage. Data of other parameters stays until theirs is there.
 */
export function useFreshQuery<Data>({ queryKey, queryFn, enabled = true }: FreshQuery<Data>): UseQueryResult<Data> {
  const { state } = useTenantStream();
  const query = useQuery({
    queryKey,
    queryFn,
    enabled,
    refetchOnMount: 'always',
    refetchOnWindowFocus: 'always',
    placeholderData: keepPreviousData,
  });
  const refetch = useRef(query.refetch);
  refetch.current = query.refetch;
  const wasLost = useRef(false);
  useEffect(() => {
    if (state.state === 'waiting') wasLost.current = true;
    if (state.state !== 'open' || !wasLost.current) return;
    wasLost.current = false;
    if (enabled) void refetch.current();
  }, [state, enabled]);
  return query;
}
