import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, existsSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

const SOURCE = new URL('./faults.c', import.meta.url).pathname;
const SIZE = 40;
/** Offsets in the file of orders, as in faults.c. */
const AT = { syncs: 0, writes: 8, syncsFailed: 16, writesFailed: 20, clock: 24, syncDelay: 32 } as const;

export const { EIO, ENOSPC } = constants.errno;

/** Compiles the library once per folder. Throws one line that says what to install when there is no compiler. */
function library(folder: string): string {
  const file = join(folder, 'faults.so');
  if (existsSync(file)) return file;
  try {
    execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-Wall', '-o', file, SOURCE, '-ldl'], { stdio: 'pipe' });
  } catch (error) {
    const why = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(`faults of disks and clocks need a C compiler (apt-get install gcc libc6-dev): ${why}`);
  }
  return file;
}

/** What happens to the disk and the clock of one process, or of one PostgreSQL server with all its processes. */
export class Preload {
  /** For the process: without it, nothing happens to it. */
  readonly env: Readonly<Record<string, string>>;
  readonly #fd: number;

  /** `files`: parts of the paths of the files that are hit. */
  constructor(folder: string, name: string, files: readonly string[]) {
    const orders = join(folder, `${name}.orders`);
    writeFileSync(orders, Buffer.alloc(SIZE));
    chmodSync(orders, 0o666);
    this.#fd = openSync(orders, 'r+');
    this.env = { LD_PRELOAD: library(folder), FAULTS_ORDERS: orders, FAULTS_FILES: `:${files.join(':')}:` };
  }

  /** The next `count` syncs fail. */
  failSyncs(count: number, errno: number): void {
    this.#put(AT.syncs + 4, errno);
    this.#put(AT.syncs, count);
  }

  /** The next `count` writes fail, half done. */
  failWrites(count: number, errno: number): void {
    this.#put(AT.writes + 4, errno);
    this.#put(AT.writes, count);
  }

  slowSyncs(delayMs: number): void {
    this.#put(AT.syncDelay, delayMs);
  }

  /** The clock is so much ahead; negative = behind. */
  shiftClock(offsetMs: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(offsetMs));
    writeSync(this.#fd, bytes, 0, 8, AT.clock);
  }

  /** Calls that have failed so far. */
  get failed(): number {
    return this.#get(AT.syncsFailed) + this.#get(AT.writesFailed);
  }

  /** The disk is well from now on. The clock stays. */
  mendDisk(): void {
    this.#put(AT.syncs, 0);
    this.#put(AT.writes, 0);
    this.slowSyncs(0);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #put(at: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    writeSync(this.#fd, bytes, 0, 4, at);
  }

  #get(at: number): number {
    const bytes = Buffer.alloc(4);
    readSync(this.#fd, bytes, 0, 4, at);
    return bytes.readInt32LE();
  }
}
