import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PAGE = 4096;

/** A small mounted file system that can be full. */
export class SmallDisk {
  readonly folder: string;
  readonly #megabytes: number;

  private constructor(folder: string, megabytes: number) {
    this.folder = folder;
    this.#megabytes = megabytes;
  }

  /** Null if no file system can be mounted. */
  static mount(folder: string, megabytes: number): SmallDisk | null {
    mkdirSync(folder, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=777`, 'tmpfs', folder], { stdio: 'pipe' });
    } catch {
      return null;
    }
    const disk = new SmallDisk(folder, megabytes);
    process.once('exit', () => disk.unmount());
    return disk;
  }

  /** Reduces the size of the file system to what is on it. */
  async fill(): Promise<void> {
    for (;;) {
      const { blocks, bavail, bsize } = statfsSync(this.folder);
      try {
        await this.#resize(`${((blocks - bavail) * bsize + PAGE) / 1024}k`);
        return;
      } catch {
        // The content has grown in the meantime.
      }
    }
  }

  async empty(): Promise<void> {
    await this.#resize(`${this.#megabytes}m`);
  }

  unmount(): void {
    try {
      execFileSync('umount', ['-l', this.folder], { stdio: 'pipe' });
    } catch {
      // It is no longer mounted.
    }
  }

  async #resize(size: string): Promise<void> {
    await run('mount', ['-o', `remount,size=${size}`, this.folder]);
  }
}
