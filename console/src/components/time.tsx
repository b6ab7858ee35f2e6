import { useSyncExternalStore } from 'react';
import { ago, ahead, duration } from '../../../src/views/time.ts';

const TICK_MS = 1_000;

/** One clock for all times on the page; it stands still while none is shown. */
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;
let nowMs = Date.now();

function tick(): void {
  nowMs = Date.now();
  for (const each of listeners) each();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

/** The time at which the clock ticked last; a clock that stands still is set first, so that no page begins with an old time. */
function readClock(): number {
  if (timer === null && Date.now() - nowMs >= TICK_MS) nowMs = Date.now();
  return nowMs;
}

/** Milliseconds since the epoch, anew every second. */
export function useNowMs(): number {
  return useSyncExternalStore(subscribe, readClock);
}

interface Props {
  /** RFC 3339; null = there is no such time. */
  readonly at: string | null;
  /** In place of a time. Default `–`. */
  readonly otherwise?: string;
}

/** A time as `3 m ago` or `in 3 m`, with the exact time as its title. */
export function Time({ at, otherwise = '–' }: Props) {
  return at === null ? otherwise : <Moment at={at} />;
}

function Moment({ at }: { readonly at: string }) {
  const now = useNowMs();
  const atMs = Date.parse(at);
  return (
    <time dateTime={at} title={new Date(atMs).toLocaleString()}>
      {atMs > now + TICK_MS ? ahead(atMs, now) : ago(atMs, now)}
    </time>
  );
}

/** How long something took, or has taken so far. */
export function Elapsed({ from, to }: { readonly from: string; readonly to: string | null }) {
  return to === null ? <Running fromMs={Date.parse(from)} /> : duration(Date.parse(to) - Date.parse(from));
}

function Running({ fromMs }: { readonly fromMs: number }) {
  return duration(Math.max(0, Math.floor((useNowMs() - fromMs) / TICK_MS) * TICK_MS));
}
