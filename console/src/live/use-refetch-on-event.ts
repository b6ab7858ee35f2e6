import { useEffect, useRef } from 'react';
import type { TenantChange } from '../../../src/client/index.ts';
import { useTenantStream } from './tenant-stream.tsx';

/** A busy tenant has thousands of events a second: what they change is read at most this often. */
const MIN_INTERVAL_MS = 1_000;
/** After a read, a pause of so many times as it took: a slow server is not kept busy by open pages. */
const REST_FACTOR = 4;

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
    let isReading = false;
    let isStale = false;
    let isOver = false;
    let notBeforeMs = 0;
    const schedule = (): void => {
      isStale = true;
      if (timer === null && !isReading && !isOver) timer = setTimeout(read, Math.max(0, notBeforeMs - performance.now()));
    };
    const read = (): void => {
      timer = null;
      isStale = false;
      isReading = true;
      const beganMs = performance.now();
      // A second read would cancel this one, and a slow server would never be heard.
      void latest.current.refetch().finally(() => {
        const endedMs = performance.now();
        isReading = false;
        notBeforeMs = Math.max(beganMs + MIN_INTERVAL_MS, endedMs + (endedMs - beganMs) * REST_FACTOR);
        if (isStale) schedule();
      });
    };
    const stop = subscribe((event) => {
      if (latest.current.changedBy(event)) schedule();
    });
    return () => {
      isOver = true;
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
