import { type QueryKey, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { TenantChange } from '../../../src/client/index.ts';
import { useRefetchOnEvent } from './use-refetch-on-event.ts';

interface LiveQuery<Data> {
  readonly queryKey: QueryKey;
  readonly queryFn: (context: { readonly signal: AbortSignal }) => Promise<Data>;
  /** Whether an event may have changed the data. */
  readonly changedBy: (event: TenantChange['event']) => boolean;
}

/** Data of the API that is read again when an event says that it may have changed, and when the stream was lost meanwhile. */
export function useLiveQuery<Data>({ queryKey, queryFn, changedBy }: LiveQuery<Data>): UseQueryResult<Data> {
  // Nothing listened while the page was not shown.
  const query = useQuery({ queryKey, queryFn, refetchOnMount: 'always' });
  useRefetchOnEvent(query, changedBy);
  return query;
}
