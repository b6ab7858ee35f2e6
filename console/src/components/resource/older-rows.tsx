import type { UseInfiniteQueryResult } from '@tanstack/react-query';
import { Button } from '../button.tsx';

interface Props {
  readonly query: Pick<UseInfiniteQueryResult, 'hasNextPage' | 'isFetchingNextPage' | 'fetchNextPage'>;
}

/** Reads the next page of a list that is newest first. */
export function OlderRows({ query: { hasNextPage, isFetchingNextPage, fetchNextPage } }: Props) {
  if (!hasNextPage) return null;
  return (
    <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
      Show older ones
    </Button>
  );
}
