import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ErrorNotice } from './error-notice.tsx';
import { Loading } from './loading.tsx';

interface Props<Data> {
  readonly query: UseQueryResult<Data>;
  /** Completes `Loading …`. */
  readonly what: string;
  readonly children: (data: Data) => ReactNode;
}

/** The data of a query, or that it is loading, or why it could not be read. Data that was read before stays. */
export function QueryStates<Data>({ query, what, children }: Props<Data>) {
  return (
    <>
      {query.error !== null && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.data !== undefined ? children(query.data) : query.error === null && <Loading what={what} />}
    </>
  );
}
