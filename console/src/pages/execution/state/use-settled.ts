import { useEffect, useRef, useState } from 'react';

/** The value as it is once it has not changed for the time, and meanwhile at least that often: a moved slider asks for no state on its way. */
export function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  const setAtMs = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, setAtMs.current + ms - performance.now());
    const timer = setTimeout(() => {
      setAtMs.current = performance.now();
      setSettled(value);
    }, wait);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
