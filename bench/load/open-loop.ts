import { quantile } from './quantile.ts';

/** What became of the requests that were meant to be sent within a time. */
export interface OpenLoad {
  readonly offeredPerSecond: number;
  readonly accepted: Latencies;
  readonly refused: Latencies;
}

export interface Latencies {
  readonly perSecond: number;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface OpenLoadOptions {
  readonly perSecond: number;
  /** Unmeasured: the time in which queues form. */
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Whether the request was accepted. A rejection ends the bench. */
  readonly once: () => Promise<boolean>;
}

/**
 * Sends requests at the times of a Poisson process, whether or not earlier ones were answered. A latency counts from the time at which the
 * request was meant to be sent: a client that falls behind makes the latencies longer and not the load smaller (no coordinated omission).
 */
export async function runOpenLoad({ perSecond, warmUpMs, measureMs, once }: OpenLoadOptions): Promise<OpenLoad> {
  const latenciesMs = { accepted: [] as number[], refused: [] as number[] };
  const pending = new Set<Promise<void>>();
  const beganMs = performance.now();
  const measuredFromMs = beganMs + warmUpMs;
  const untilMs = measuredFromMs + measureMs;
  let offered = 0;

  const send = (intendedMs: number): void => {
    const isMeasured = intendedMs >= measuredFromMs;
    if (isMeasured) offered += 1;
    const sent = once().then((accepted) => {
      pending.delete(sent);
      if (isMeasured) latenciesMs[accepted ? 'accepted' : 'refused'].push(performance.now() - intendedMs);
    });
    pending.add(sent);
  };

  await new Promise<void>((resolve, reject) => {
    let nextMs = beganMs;
    const tick = (): void => {
      const nowMs = performance.now();
      try {
        for (; nextMs <= nowMs && nextMs < untilMs; nextMs += gapMs(perSecond)) send(nextMs);
      } catch (error) {
        reject(error);
        return;
      }
      if (nextMs >= untilMs) resolve();
      // A timer would be up to a millisecond late.
      else setImmediate(tick);
    };
    tick();
  });
  await Promise.all(pending);
  return {
    offeredPerSecond: (offered * 1000) / measureMs,
    accepted: latencies(latenciesMs.accepted, measureMs),
    refused: latencies(latenciesMs.refused, measureMs),
  };
}

function gapMs(perSecond: number): number {
  return (-Math.log(1 - Math.random()) * 1000) / perSecond;
}

function latencies(ms: number[], measureMs: number): Latencies {
  const sorted = ms.sort((a, b) => a - b);
  const none = sorted.length === 0;
  return {
    perSecond: (sorted.length * 1000) / measureMs,
    count: sorted.length,
    p50Ms: none ? Number.NaN : quantile(sorted, 0.5),
    p99Ms: none ? Number.NaN : quantile(sorted, 0.99),
    maxMs: sorted.at(-1) ?? Number.NaN,
  };
}
