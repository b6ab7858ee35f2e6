import type { Agent } from '../../../../src/client/index.ts';

/** An active agent counts as stale so long after its last heartbeat. */
export const STALE_MS = 90_000;

/** Heartbeats of the agents that may become stale. */
export function staleTimes(agents: readonly Agent[] = []): readonly (string | null)[] {
  return agents.filter(({ status, stale }) => status === 'active' && !stale).map(({ last_heartbeat }) => last_heartbeat);
}
