import type { AgentStatus } from '../../../store/port/resources/agents.ts';

/** Allowed status transitions. A deactivated or archived agent becomes usable only by registering again. */
const TRANSITIONS: Readonly<Record<AgentStatus, readonly AgentStatus[]>> = {
  registered: ['active'],
  active: ['paused', 'deactivated'],
  paused: ['active', 'deactivated'],
  deactivated: ['archived'],
  archived: [],
};

/** Three heartbeat intervals of 30 s. */
export const STALE_AFTER_MS = 90_000;

export function canTransition(from: AgentStatus, to: AgentStatus): boolean {
  return TRANSITIONS[from].includes(to);
}

/** The allowed transitions, for the error text of a refused one. */
export function allowedTransitions(from: AgentStatus): string {
  const next = TRANSITIONS[from];
  return next.length > 0 ? `it may become ${next.join(' or ')}` : 'register it again first';
}

/** The status after registering again: unchanged, except that deactivated and archived agents start over. */
export function statusAfterReregistration(was: AgentStatus): AgentStatus {
  return was === 'deactivated' || was === 'archived' ? 'registered' : was;
}

/**
 * Has an active agent stopped sending heartbeats? Agents that never sent one are not stale: those that are only called need not send any.
 * The time before the agent became active does not count.
 */
export function isStale(
  agent: { readonly status: AgentStatus; readonly statusSinceMs: number; readonly lastHeartbeatAtMs: number | null },
  nowMs: number,
): boolean {
  if (agent.status !== 'active' || agent.lastHeartbeatAtMs === null) return false;
  return nowMs - Math.max(agent.lastHeartbeatAtMs, agent.statusSinceMs) > STALE_AFTER_MS;
}
