import { type Column, cpu, type Row, wall } from '../figures.ts';
import { type CpuTime, cpuTimeOf } from '../machine.ts';
import { quantile } from './quantile.ts';

/** Result of a closed loop with `concurrency` clients. */
export interface Load {
  readonly concurrency: number;
  readonly seconds: number;
  readonly finished: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU microseconds per round trip of the measured process, and of its main thread; null without /proc. */
  readonly cpuUs: number | null;
  readonly mainThreadUs: number | null;
}

export interface LoadOptions {
  readonly concurrency: number;
  /** Unmeasured warm-up: compiles code, fills caches, grows the file. */
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** One round trip of one client; a rejection ends the bench. */
  readonly once: (lane: number) => Promise<unknown>;
  /** The measured process; default: this one. */
  readonly pid?: number;
  /** Called at the start and at the end of the measurement. */
  readonly onSample?: () => void;
}

/** Runs a closed loop: every client starts its next round trip when the previous one has ended. */
export async function runLoad(options: LoadOptions): Promise<Load> {
  const { concurrency, warmUpMs, measureMs, once, pid = process.pid, onSample } = options;
  const latenciesMs: number[] = [];
  const samples: Sample[] = [];
  const fromMs = performance.now() + warmUpMs;
  const untilMs = fromMs + measureMs;
  const sample = () => {
    samples.push({ atMs: performance.now(), finished: latenciesMs.length, cpu: cpuTimeOf(pid) });
    onSample?.();
  };

  async function run(lane: number): Promise<void> {
    for (;;) {
      const startedMs = performance.now();
      if (startedMs >= untilMs) return;
      await once(lane);
      latenciesMs.push(performance.now() - startedMs);
    }
  }

  const timers = [setTimeout(sample, warmUpMs), setTimeout(sample, warmUpMs + measureMs)];
  try {
    await Promise.all(Array.from({ length: concurrency }, (_, lane) => run(lane)));
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
  if (samples.length < 2) sample();
  const [start, end] = samples;
  if (start === undefined || end === undefined) throw new Error('no round trip ended after the warm-up');
  const measured = latenciesMs.slice(start.finished, end.finished).sort((a, b) => a - b);
  const seconds = (end.atMs - start.atMs) / 1000;
  const each = (key: keyof CpuTime) =>
    start.cpu === null || end.cpu === null ? null : ((end.cpu[key] - start.cpu[key]) * 1000) / measured.length;
  return {
    concurrency,
    seconds,
    finished: measured.length,
    perSecond: measured.length / seconds,
    p50Ms: quantile(measured, 0.5),
    p99Ms: quantile(measured, 0.99),
    cpuUs: each('processMs'),
    mainThreadUs: each('mainThreadMs'),
  };
}

interface Sample {
  readonly atMs: number;
  readonly finished: number;
  readonly cpu: CpuTime | null;
}

export const LOAD_COLUMNS: readonly Column[] = [
  wall('a second', 0, 'more'),
  wall('p50 ms', 2),
  wall('p99 ms', 2),
  cpu('CPU µs each', 0),
  cpu('main thread µs', 0),
];

export function loadRow(load: Load, what = ''): Row {
  return {
    label: `${what === '' ? '' : `${what}, `}${load.concurrency} at once`,
    values: [load.perSecond, load.p50Ms, load.p99Ms, load.cpuUs, load.mainThreadUs],
  };
}
