import { openSync, readSync } from 'node:fs';

/** Kept open, because a turn is measured at its beginning and its end, and opening the file takes longer than most turns. */
let schedstat: number | null | undefined;
const text = Buffer.alloc(64);

/** CPU time of this thread in ms; of the whole process where the system does not say. */
function threadCpuMs(): number {
  if (schedstat === undefined) schedstat = openSchedstat();
  if (schedstat === null) {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  }
  // The first number is the time on a CPU in nanoseconds.
  return Number.parseInt(text.toString('latin1', 0, readSync(schedstat, text, 0, text.length, 0)), 10) / 1e6;
}

/** Test files run on the main thread of their process. */
function openSchedstat(): number | null {
  try {
    return openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  } catch {
    return null;
  }
}

/**
 * The CPU time in ms of the longest turn of the event loop until the work is done: how long it keeps others waiting, whatever the load of the
 * machine. Short turns within a millisecond count as one; looking after each of them would keep the loop from ever waiting.
 */
export async function longestTurnMs(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let since = threadCpuMs();
  let done = false;
  const turned = (): void => {
    const now = threadCpuMs();
    longest = Math.max(longest, now - since);
    since = now;
    if (!done) setTimeout(turned, 1);
  };
  setImmediate(turned);
  try {
    await work();
  } finally {
    done = true;
    turned();
  }
  return longest;
}
