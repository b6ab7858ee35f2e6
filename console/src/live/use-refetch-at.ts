import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect } from 'react';

/** The clocks of server and browser differ, and work that is due takes its time. */
const MIN_WAIT_MS = 2_000;
const MAX_WAIT_MS = 60 * 60_000;

/** Reads again when time alone changes what is shown: a retry is due, a worker has been silent for too long. Null = never. */
export function useRefetchAt({ refetch, dataUpdatedAt }: Pick<UseQueryResult, 'refetch' | 'dataUpdatedAt'>, atMs: number | null) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: once more after each reading
  useEffect(() => {
    if (atMs === null) return;
    const timer = setTimeout(() => void refetch(), Math.min(Math.max(MIN_WAIT_MS, atMs - Date.now()), MAX_WAIT_MS));
    return () => clearTimeout(timer);
  }, [refetch, dataUpdatedAt, atMs]);
}
