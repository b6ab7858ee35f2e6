import { keepPreviousData, type QueryKey, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { useRefetchOnEvent } from './use-refetch-on-event.ts';

interface FreshQuery<Data> {
  readonly queryKey: QueryKey;
  readonly queryFn: (context: { readonly signal: AbortSignal }) => Promise<Data>;
  /** Lists: the data of other parameters stays until theirs is there. Default false. */
  readonly keepsPrevious?: boolean;
  /** False: not read. Default true. */
  readonly isEnabled?: boolean;
}

const noEvent = (): boolean => false;

/**
 * Data of the API that no event of the stream concerns, such as tokens: read again when the page is opened, the window gets the focus, an
 * action is done, and after an outage.
 */
export function useFreshQuery<Data>({
  queryKey,
  queryFn,
  keepsPrevious = false,
  isEnabled = true,
}: FreshQuery<Data>): UseQueryResult<Data> {
  const query = useQuery({
    queryKey,
    queryFn,
    enabled: isEnabled,
    refetchOnMount: 'always',
    refetchOnWindowFocus: 'always',
    ...(keepsPrevious ? { placeholderData: keepPreviousData } : {}),
  });
  useRefetchOnEvent(query, noEvent);
  return query;
}
