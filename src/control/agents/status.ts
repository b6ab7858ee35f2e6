import type { AgentStatus } from '../../../store/port/resources/agents.ts';

/** Where an agent may go from where it is. What was deactivated or archived comes back only by being registered again. */
const TRANSITIONS: Readonly<Record<AgentStatus, readonly AgentStatus[]>> = {
  registered: ['active'],
  active: ['paused', 'deactivated'],
  paused: ['active', 'deactivated'],
  deactivated: ['archived'],
  archived: [],
};

/** Heartbeats come every 30 s; after three that did not, an active agent is taken to be away. */
export const STALE_AFTER_MS = 90_000;

export function canTransition(from: AgentStatus, to: AgentStatus): boolean {
  return TRANSITIONS[from].includes(to);
}

/** For the error text of a step that is not allowed: what is possible instead. */
export function allowedTransitions(from: AgentStatus): string {
  const next = TRANSITIONS[from];
  return next.length > 0 ? `it may become ${next.join(' or ')}` : 'register it again first';
}

/** The status of an agent that is registered once more: what it was, but for what had left. */
export function statusAfterReregistration(was: AgentStatus): AgentStatus {
  return was === 'deactivated' || was === 'archived' ? 'registered' : was;
}

/**
 * Is an active agent silent? Only one that has ever sent a heartbeat can be: an agent that is merely called has no reason to.
 * The time before it became active does not count.
 */
export function isStale(
  agent: { readonly status: AgentStatus; readonly statusSinceMs: number; readonly lastHeartbeatAtMs: number | null },
  nowMs: number,
): boolean {
  if (agent.status !== 'active' || agent.lastHeartbeatAtMs === null) return false;
  return nowMs - Math.max(agent.lastHeartbeatAtMs, agent.statusSinceMs) > STALE_AFTER_MS;
}
