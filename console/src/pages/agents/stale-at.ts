import type { Agent } from '../../../../src/client/index.ts';

/** An active agent counts as stale so long after its last heartbeat. */
const STALE_MS = 90_000;

/** When the next of the agents becomes stale unless it is heard of; null = none can. */
export function staleAtMs(agents: readonly Agent[]): number | null {
  const times = agents.flatMap(({ status, stale, last_heartbeat: at }) =>
    status !== 'active' || stale || at === null ? [] : [Date.parse(at) + STALE_MS],
  );
  return times.length === 0 ? null : Math.min(...times);
}
