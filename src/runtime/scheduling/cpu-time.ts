/** Until so much time has passed on the wall, it counts as CPU time: reading that takes microseconds. */
const RESOLUTION_MS = 2;

/**
 * A clock that goes on with the CPU time of this process, and never faster than time does. What shares the event loop by it does so however busy the
 * machine is, and however long the disk takes.
 */
export class CpuTime {
  #readAtMs = performance.now();
  #readMs = cpuMs();
  #nowMs = 0;

  nowMs(): number {
    const passedMs = performance.now() - this.#readAtMs;
    if (passedMs < RESOLUTION_MS) return this.#nowMs;
    const readMs = cpuMs();
    // Other threads may compute at the same time.
    this.#nowMs += Math.min(passedMs, readMs - this.#readMs);
    this.#readAtMs += passedMs;
    this.#readMs = readMs;
    return this.#nowMs;
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
