import { readFileSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const IN_MEMORY = '/dev/shm';
const ROOM_BYTES = 4 * 1024 ** 3;

/**
 * Where tests have their temporary files: in memory if there is room, since a commit is synced to disk, which takes longer than all else. Nothing
 * there outlives the machine, and no test ends that.
 */
export const TEMPORARY_FILES = process.env.TMPDIR ?? (hasRoom() ? IN_MEMORY : tmpdir());

function hasRoom(): boolean {
  try {
    // Some tests start programs from their files.
    if (!/^\S+ \/dev\/shm tmpfs (?!\S*\bnoexec\b)/m.test(readFileSync('/proc/mounts', 'utf8'))) return false;
    const { bavail, bsize } = statfsSync(IN_MEMORY);
    return bavail * bsize > ROOM_BYTES;
  } catch {
    return false;
  }
}
