import { useEffect, useRef } from 'react';
import type { TenantChange } from '../../../src/client/index.ts';
import { useTenantStream } from './tenant-stream.tsx';

/** A busy tenant has thousands of events a second: what they change is read at most this often. */
const MIN_INTERVAL_MS = 1_000;

interface Query {
  readonly refetch: () => Promise<unknown>;
}

/** Reads a query again when an event may have changed its data, and when the stream was lost meanwhile. */
export function useRefetchOnEvent({ refetch }: Query, changedBy: (event: TenantChange['event']) => boolean): void {
  const { subscribe, state } = useTenantStream();
  const latest = useRef({ changedBy, refetch });
  latest.current = { changedBy, refetch };

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

  const wasOpen = useRef(state.state === 'open');
  useEffect(() => {
    // Data that was read before the stream began, or before an outage.
    if (state.state === 'open' && !wasOpen.current) void latest.current.refetch();
    if (state.state === 'waiting') wasOpen.current = false;
    if (state.state === 'open') wasOpen.current = true;
  }, [state]);
}
