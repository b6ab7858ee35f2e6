import type { QueryKey } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { TenantChange } from '../../../src/client/index.ts';
import { useLiveQuery } from './use-live-query.ts';

interface Page<Item> {
  readonly items: readonly Item[];
  /** Null = it is the last one. */
  readonly next: string | null;
}

interface LivePages<Item> {
  readonly queryKey: QueryKey;
  readonly readPage: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Item>>;
  readonly changedBy: (event: TenantChange['event']) => boolean;
}

export interface ReadPages<Item> {
  /** Undefined = nothing has been read yet. */
  readonly data: { readonly items: readonly Item[]; readonly isComplete: boolean } | undefined;
  readonly error: Error | null;
  readonly isFetching: boolean;
  readonly readAgain: () => void;
  /** Reads one page more. */
  readonly readMore: () => void;
}

/** The first pages of a list, all of which are read again when an event says that they may have changed. */
export function useLivePages<Item>({ queryKey, readPage, changedBy }: LivePages<Item>): ReadPages<Item> {
  const [wanted, setWanted] = useState(1);
  const query = useLiveQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      const items: Item[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < wanted; page++) {
        const read = await readPage(cursor, signal);
        items.push(...read.items);
        if (read.next === null) return { items, isComplete: true };
        cursor = read.next;
      }
      return { items, isComplete: false };
    },
    changedBy,
  });
  const { data, error, isFetching, refetch } = query;
  const latest = useRef(refetch);
  latest.current = refetch;
  useEffect(() => {
    if (wanted > 1) void latest.current();
  }, [wanted]);
  const readAgain = useCallback(() => void latest.current(), []);
  const canRead = data !== undefined && !data.isComplete && !isFetching;
  const readMore = useCallback(() => {
    if (canRead) setWanted((before) => before + 1);
  }, [canRead]);
  return { data, error, isFetching, readAgain, readMore };
}
