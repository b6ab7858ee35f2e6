import { type QueryKey, type UseInfiniteQueryResult, useInfiniteQuery } from '@tanstack/react-query';

interface Pages<Page, Item> {
  readonly queryKey: QueryKey;
  readonly readPage: (from: { readonly cursor?: string }, signal: AbortSignal) => Promise<Page>;
  readonly itemsOf: (page: Page) => readonly Item[];
  /** Default false. */
  readonly refetchOnWindowFocus?: 'always' | false;
}

/** What has been read of a list. */
export interface ReadItems<Page, Item> {
  readonly items: readonly Item[];
  readonly first: Page;
}

/** A list that is read page by page, as the reader asks for more. */
export function usePages<Page extends { readonly next_cursor: string | null }, Item>({
  queryKey,
  readPage,
  itemsOf,
  refetchOnWindowFocus = false,
}: Pages<Page, Item>): UseInfiniteQueryResult<ReadItems<Page, Item>> {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ signal, pageParam }) => readPage(pageParam === null ? {} : { cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    refetchOnMount: 'always',
    refetchOnWindowFocus,
    select: ({ pages }) => ({ items: pages.flatMap(itemsOf), first: pages[0] as Page }),
  });
}
