import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, existsSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

const SOURCE = new URL('./faults.c', import.meta.url).pathname;
const CONTROL_BYTES = 40;
/** Offsets in the file of orders, as in faults.c. */
const OFFSET = { syncs: 0, writes: 8, syncsFailed: 16, writesFailed: 20, clock: 24, syncDelay: 32 } as const;

export const { EIO, ENOSPC } = constants.errno;

/** Compiles the library once per folder. Throws one line that says what to install when there is no compiler. */
function compileLibrary(folder: string): string {
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
    writeFileSync(orders, Buffer.alloc(CONTROL_BYTES));
    chmodSync(orders, 0o666);
    this.#fd = openSync(orders, 'r+');
    this.env = { LD_PRELOAD: compileLibrary(folder), FAULTS_ORDERS: orders, FAULTS_FILES: `:${files.join(':')}:` };
  }

  /** The next `count` syncs fail. */
  failSyncs(count: number, errno: number): void {
    this.#write(OFFSET.syncs + 4, errno);
    this.#write(OFFSET.syncs, count);
  }

  /** The next `count` writes fail, half done. */
  failWrites(count: number, errno: number): void {
    this.#write(OFFSET.writes + 4, errno);
    this.#write(OFFSET.writes, count);
  }

  slowSyncs(delayMs: number): void {
    this.#write(OFFSET.syncDelay, delayMs);
  }

  /** The clock is so much ahead; negative = behind. */
  shiftClock(offsetMs: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(offsetMs));
    writeSync(this.#fd, bytes, 0, 8, OFFSET.clock);
  }

  /** Calls that have failed so far. */
  get failedCalls(): number {
    return this.#read(OFFSET.syncsFailed) + this.#read(OFFSET.writesFailed);
  }

  /** The disk is well from now on. The clock stays. */
  repairDisk(): void {
    this.#write(OFFSET.syncs, 0);
    this.#write(OFFSET.writes, 0);
    this.slowSyncs(0);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(at: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    writeSync(this.#fd, bytes, 0, 4, at);
  }

  #read(at: number): number {
    const bytes = Buffer.alloc(4);
    readSync(this.#fd, bytes, 0, 4, at);
    return bytes.readInt32LE();
  }
}
