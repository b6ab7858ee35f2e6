import { randomUUID } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, readdirSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { quantile } from './load/quantile.ts';

export interface FsyncTimes {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const PAGE = Buffer.alloc(4096, 1);

/** Durable writes of 4 KiB: the minimum latency of an acknowledged message. */
export class FsyncProbe {
  readonly #path: string;
  readonly #file: number;
  #pages = 0;

  constructor(folder: string) {
    this.#path = join(folder, `fsync-probe-${randomUUID()}`);
    this.#file = openSync(this.#path, 'w');
  }

  /** As a write-ahead log that grows. Returns milliseconds. */
  append(): number {
    this.#pages += 1;
    return this.#write(this.#pages - 1);
  }

  /** As a write-ahead log that is used again. Returns milliseconds. */
  overwrite(page: number): number {
    return this.#write(page);
  }

  close(): void {
    closeSync(this.#file);
    rmSync(this.#path);
  }

  #write(page: number): number {
    const startedMs = performance.now();
    writeSync(this.#file, PAGE, 0, PAGE.length, page * PAGE.length);
    fdatasyncSync(this.#file);
    return performance.now() - startedMs;
  }
}

const PROBES = 400;

export function fsyncTimes(folder: string): { readonly append: FsyncTimes; readonly overwrite: FsyncTimes } {
  const probe = new FsyncProbe(folder);
  try {
    const pages = Array.from({ length: PROBES }, (_, page) => page);
    return { append: times(pages.map(() => probe.append())), overwrite: times(pages.map((page) => probe.overwrite(page))) };
  } finally {
    probe.close();
  }
}

function times(tookMs: readonly number[]): FsyncTimes {
  const sorted = [...tookMs].sort((a, b) => a - b);
  return { p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
}

export function describeMachine(folder: string): string {
  const free = statfsSync(folder);
  return [
    `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores, ${gib(totalmem())} GiB`,
    `${type()} ${release()}`,
    ['Node', process.versions.node, process.env.NODE_OPTIONS ?? '', ...process.execArgv].filter((part) => part !== '').join(' '),
    `database in ${folder} (${gib(free.bavail * free.bsize)} GiB free)`,
  ].join(' · ');
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(0);
}

export interface CpuTime {
  /** User and system time of all threads. */
  readonly processMs: number;
  /** Time of the thread that runs JavaScript; without garbage collection and compilation in other threads. */
  readonly mainThreadMs: number;
}

/** CPU time used so far by a process; null without /proc. */
export function cpuTimeOf(pid: number): CpuTime | null {
  try {
    const processMs = pid === process.pid ? cpuMsOfThisProcess() : cpuMsOf(pid);
    return processMs === null ? null : { processMs, mainThreadMs: cpuMsIn(`/proc/${pid}/schedstat`) };
  } catch {
    return null;
  }
}

/** CPU milliseconds of the threads of another process, user and system; null without /proc. */
export function cpuMsOf(pid: number): number | null {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((sum, thread) => sum + cpuMsIn(`/proc/${pid}/task/${thread}/schedstat`), 0);
  } catch {
    return null;
  }
}

/** Exact, unlike the ticks of 10 ms in /proc/PID/stat. */
function cpuMsIn(schedstat: string): number {
  return Number(readFileSync(schedstat, 'utf8').split(' ')[0]) / 1e6;
}

const TICK_MS = 10;

/** CPU milliseconds of the exited children of a process, user and system; null without /proc. */
export function cpuMsOfExitedChildren(pid: number): number | null {
  try {
    // The third field follows the name in parentheses, which may contain any character.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const [user, system] = [Number(fields[16 - 3]), Number(fields[17 - 3])];
    return (user + system) * TICK_MS;
  } catch {
    return null;
  }
}

/** Null if either is not known. */
export function difference(end: number | null, start: number | null): number | null {
  return end === null || start === null ? null : end - start;
}

/** User and system time of all threads; independent of the load of the machine. */
export function cpuMsOfThisProcess(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Memory of this process without garbage. Requires `--expose-gc`. */
export function memory(): NodeJS.MemoryUsage {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  return process.memoryUsage();
}
