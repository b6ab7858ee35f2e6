/** CPU time in ms that this process used during `work`; independent of the load of the machine. */
export function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** CPU time in ms of each piece of a computation that asks before every piece whether it may go on, and of what follows the last one. */
export async function cpuOfPieces(work: (turns: { next(): null }) => Promise<unknown>): Promise<readonly number[]> {
  const pieces: number[] = [];
  let since = process.cpuUsage();
  const next = (): null => {
    const { user, system } = process.cpuUsage(since);
    pieces.push((user + system) / 1_000);
    since = process.cpuUsage();
    return null;
  };
  await work({ next });
  next();
  return pieces;
}
