import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, existsSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

const SOURCE = new URL('./faults.c', import.meta.url).pathname;
const CONTROL_BYTES = 40;
/** Offsets in the control file, as in faults.c. */
const OFFSET = { syncs: 0, writes: 8, syncsFailed: 16, writesFailed: 20, clock: 24, syncDelay: 32 } as const;

export const { EIO, ENOSPC } = constants.errno;

/** Compiles the library once per folder. Throws an error that names the Debian package if there is no compiler. */
function compileLibrary(folder: string): string {
  const file = join(folder, 'faults.so');
  if (existsSync(file)) return file;
  try {
    execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-Wall', '-o', file, SOURCE, '-ldl'], { stdio: 'pipe' });
  } catch (error) {
    const why = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(`disk and clock faults require a C compiler (apt-get install gcc libc6-dev): ${why}`);
  }
  return file;
}

/** Controls the disk and clock faults of one process, or of one PostgreSQL server with all its processes. */
export class Preload {
  /** Environment variables that load the library into the process. */
  readonly env: Readonly<Record<string, string>>;
  readonly #fd: number;

  /** `files`: parts of the paths of the affected files. */
  constructor(folder: string, name: string, files: readonly string[]) {
    const control = join(folder, `${name}.control`);
    writeFileSync(control, Buffer.alloc(CONTROL_BYTES));
    chmodSync(control, 0o666);
    this.#fd = openSync(control, 'r+');
    this.env = { LD_PRELOAD: compileLibrary(folder), FAULTS_CONTROL: control, FAULTS_FILES: `:${files.join(':')}:` };
  }

  /** The next `count` syncs fail. */
  failSyncs(count: number, errno: number): void {
    this.#write(OFFSET.syncs + 4, errno);
    this.#write(OFFSET.syncs, count);
  }

  /** The next `count` writes fail after half of their bytes. */
  failWrites(count: number, errno: number): void {
    this.#write(OFFSET.writes + 4, errno);
    this.#write(OFFSET.writes, count);
  }

  slowSyncs(delayMs: number): void {
    this.#write(OFFSET.syncDelay, delayMs);
  }

  /** Sets the error of the clock; positive = ahead. */
  shiftClock(offsetMs: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(offsetMs));
    writeSync(this.#fd, bytes, 0, 8, OFFSET.clock);
  }

  /** Number of calls that have failed so far. */
  get failedCalls(): number {
    return this.#read(OFFSET.syncsFailed) + this.#read(OFFSET.writesFailed);
  }

  /** Ends all disk faults. The clock is not changed. */
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
