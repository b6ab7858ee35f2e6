import { useEffect, useRef, useState } from 'react';
import type { TenantChange } from '../../../../src/client/index.ts';
import { useTenantStream } from '../../live/tenant-stream.tsx';

/** A number that counts faster cannot be read. */
const SHOWN_EVERY_MS = 500;

/** The number of matching events since the list was read. The list itself stays: it would move under the reader. */
export function useNewer(readAtMs: number, matches: (event: TenantChange['event']) => boolean): number {
  const { subscribe } = useTenantStream();
  const [count, setCount] = useState(0);
  const latest = useRef(matches);
  latest.current = matches;
  // biome-ignore lint/correctness/useExhaustiveDependencies: counts anew when the list was read
  useEffect(() => {
    let seen = 0;
    let timer: ReturnType<typeof setTimeout> | null = null;
    setCount(0);
    const show = (): void => {
      timer = null;
      setCount(seen);
    };
    const stop = subscribe((event) => {
      if (!latest.current(event)) return;
      seen++;
      timer ??= setTimeout(show, SHOWN_EVERY_MS);
    });
    return () => {
      stop();
      if (timer !== null) clearTimeout(timer);
    };
  }, [subscribe, readAtMs]);
  return count;
}
