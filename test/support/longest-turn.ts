import { readFileSync } from 'node:fs';

/** CPU time of this thread in ms; of the whole process where the system does not say. */
function threadCpuMs(): number {
  try {
    // The first number is the time on a CPU in nanoseconds. Test files run on the main thread of their process.
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  }
}

/** The CPU time in ms of the longest turn of the event loop until the work is done: how long it keeps others waiting, whatever the load of the machine. */
export async function longestTurnMs(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let since = threadCpuMs();
  let done = false;
  const turned = (): void => {
    const now = threadCpuMs();
    longest = Math.max(longest, now - since);
    since = now;
    if (!done) setImmediate(turned);
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
