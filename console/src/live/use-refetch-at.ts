import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect } from 'react';

/** The clocks of server and browser differ, and work that is due takes its time. */
const MIN_WAIT_MS = 2_000;
const MAX_WAIT_MS = 60 * 60_000;

/**
 * Reads again when time alone changes what is shown, `afterMs` after the first of the times: a retry is due, a worker has been silent for too
 * long. Times are in RFC 3339; null = never.
 */
export function useRefetchAt(
  { refetch, dataUpdatedAt }: Pick<UseQueryResult, 'refetch' | 'dataUpdatedAt'>,
  times: readonly (string | null)[] = [],
  afterMs = 0,
): void {
  const atMs = Math.min(...times.map((at) => (at === null ? Number.POSITIVE_INFINITY : Date.parse(at) + afterMs)));
  // biome-ignore lint/correctness/useExhaustiveDependencies: once more after each reading
  useEffect(() => {
    if (!Number.isFinite(atMs)) return;
    const timer = setTimeout(() => void refetch(), Math.min(Math.max(MIN_WAIT_MS, atMs - Date.now()), MAX_WAIT_MS));
    return () => clearTimeout(timer);
  }, [refetch, dataUpdatedAt, atMs]);
}
