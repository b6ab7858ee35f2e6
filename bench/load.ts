/** Result of a closed loop with `concurrency` clients. */
export interface Load {
  readonly concurrency: number;
  readonly seconds: number;
  readonly finished: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Cores used during the measurement; null if unknown on this platform. */
  readonly cores: { readonly server: number | null; readonly client: number | null };
}

export interface LoadOptions {
  readonly concurrency: number;
  /** Unmeasured warm-up: compiles code, fills caches, grows the file. */
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** One round trip of one client; a rejection ends the bench. */
  readonly once: (lane: number) => Promise<unknown>;
  /** CPU milliseconds used so far. */
  readonly cpuMs: { readonly server: () => number | null; readonly client: () => number | null };
}

/** Runs a closed loop: every client starts its next round trip when the previous one has ended. */
export async function runLoad(options: LoadOptions): Promise<Load> {
  const { concurrency, warmUpMs, measureMs, once, cpuMs } = options;
  const latenciesMs: number[] = [];
  const fromMs = performance.now() + warmUpMs;
  const untilMs = fromMs + measureMs;
  let cpuAtStart = { server: null as number | null, client: null as number | null };
  let cpuAtEnd = cpuAtStart;
  const sample = () => ({ server: cpuMs.server(), client: cpuMs.client() });

  async function run(lane: number): Promise<void> {
    for (;;) {
      const startedMs = performance.now();
      if (startedMs >= untilMs) return;
      await once(lane);
      const endedMs = performance.now();
      if (endedMs >= fromMs && endedMs <= untilMs) latenciesMs.push(endedMs - startedMs);
    }
  }

  const samples = [
    setTimeout(() => {
      cpuAtStart = sample();
    }, warmUpMs),
    setTimeout(() => {
      cpuAtEnd = sample();
    }, warmUpMs + measureMs),
  ];
  try {
    await Promise.all(Array.from({ length: concurrency }, (_, lane) => run(lane)));
  } finally {
    for (const timer of samples) clearTimeout(timer);
  }
  if (cpuAtEnd.client === null) cpuAtEnd = sample();
  latenciesMs.sort((a, b) => a - b);
  const seconds = measureMs / 1000;
  const cores = (end: number | null, start: number | null) => (end === null || start === null ? null : (end - start) / measureMs);
  return {
    concurrency,
    seconds,
    finished: latenciesMs.length,
    perSecond: latenciesMs.length / seconds,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    cores: { server: cores(cpuAtEnd.server, cpuAtStart.server), client: cores(cpuAtEnd.client, cpuAtStart.client) },
  };
}

/** Quantile of sorted values by nearest rank; NaN if there are none. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}
