import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { Coordinator, CoordinatorWeights, Dimension } from '../../../machines/nodes/coordinator.ts';
import { DIMENSIONS } from '../../../machines/nodes/coordinator.ts';
import { shortened } from '../../../machines/shortened.ts';
import type { AgentOutcomes, RegisteredAgent } from '../a2a/directory.ts';

/** An agent that can do the task. */
export interface Candidate {
  readonly uri: string;
  readonly agent_id: string;
  readonly name: string;
  readonly description: string;
  readonly skills: readonly string[];
  readonly latency_class: string | null;
  readonly cost_class: string | null;
  readonly trust_domain: string | null;
  readonly reasoning_modes: readonly string[];
  /** What calls of it were like; null = none is known. */
  readonly history: AgentOutcomes | null;
}

export interface FilteredOut {
  readonly uri: string;
  readonly reason: string;
}

export interface Ranking {
  readonly uri: string;
  readonly scores: Readonly<Record<Dimension, number>>;
  readonly composite: number;
}

export interface Scoring {
  /** The best first. */
  readonly rankings: readonly Ranking[];
  /** Difference of the two best composites; 1 if there is only one. */
  readonly spread: number;
}

/** What agents of a class usually cost and take, and how well that fits. */
const COST: Readonly<Record<string, { readonly usd: number; readonly fit: number }>> = {
  free: { usd: 0, fit: 1 },
  low: { usd: 0.01, fit: 0.8 },
  medium: { usd: 0.1, fit: 0.5 },
  high: { usd: 1, fit: 0.2 },
};
const LATENCY: Readonly<Record<string, { readonly ms: number; readonly fit: number }>> = {
  realtime: { ms: 500, fit: 1 },
  fast: { ms: 2_000, fit: 0.8 },
  medium: { ms: 10_000, fit: 0.5 },
  slow: { ms: 60_000, fit: 0.2 },
};
/** Of agents that do not say. */
const UNKNOWN_FIT = 0.5;
/** Calls from which a measured latency counts instead of the class. */
const ENOUGH_CALLS = 3;
/** A measured latency of this long fits half. */
const HALF_FIT_MS = 5_000;

/** The agents that can do the task, and why the others cannot. */
export function candidatesOf(
  { required_skills, trust_domain, budget = {} }: Coordinator,
  agents: readonly RegisteredAgent[],
  outcomes: ReadonlyMap<string, AgentOutcomes>,
): { readonly candidates: readonly Candidate[]; readonly filteredOut: readonly FilteredOut[] } {
  const candidates: Candidate[] = [];
  const filteredOut: FilteredOut[] = [];
  for (const agent of agents) {
    const candidate = candidateOf(agent, outcomes.get(agent.uri) ?? null);
    const reason = obstacle(candidate, required_skills, trust_domain, budget);
    if (reason === null) candidates.push(candidate);
    else filteredOut.push({ uri: agent.uri, reason });
  }
  return { candidates, filteredOut };
}

export function scored({ preferred_skills, weights }: Coordinator, candidates: readonly Candidate[]): Scoring {
  const rankings = candidates
    .map((candidate): Ranking => {
      const scores = {
        capability_fit: preferenceFit(candidate, preferred_skills),
        cost_fit: fitOf(COST, candidate.cost_class),
        latency_fit: latencyFit(candidate),
        // Agents of other domains than the one that is asked for are no candidates.
        trust_compatibility: 1,
        historical_performance: successRate(candidate.history),
      };
      return { uri: candidate.uri, scores, composite: compositeOf(scores, weights) };
    })
    .sort((a, b) => b.composite - a.composite || (a.uri < b.uri ? -1 : 1));
  return { rankings, spread: spreadOf(rankings) };
}

export function spreadOf(rankings: readonly { readonly composite: number }[]): number {
  const [first, second] = rankings;
  return first === undefined || second === undefined ? 1 : rounded(first.composite - second.composite);
}

function compositeOf(scores: Readonly<Record<Dimension, number>>, weights: CoordinatorWeights): number {
  const total = DIMENSIONS.reduce((sum, name) => sum + weights[name], 0);
  return rounded(DIMENSIONS.reduce((sum, name) => sum + weights[name] * scores[name], 0) / total);
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function candidateOf({ uri, id, name, card }: RegisteredAgent, history: AgentOutcomes | null): Candidate {
  const { capabilities, latency_class, cost_class, labels, reasoning_modes, description } = card;
  const skills = isObject(capabilities) && Array.isArray(capabilities.skills) ? (capabilities.skills as readonly Json[]) : [];
  const names = skills.flatMap((skill) => (isObject(skill) ? [textIn(skill.id), textIn(skill.name)] : []));
  return {
    uri,
    agent_id: id,
    name,
    description: shortened(textIn(description) ?? '', 500),
    skills: [...new Set(names.filter((skill) => skill !== null))],
    latency_class: textIn(latency_class),
    cost_class: textIn(cost_class),
    trust_domain: isObject(labels) ? textIn(labels.trust_domain) : null,
    reasoning_modes: Array.isArray(reasoning_modes) ? (reasoning_modes as readonly string[]) : [],
    history,
  };
}

function textIn(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function obstacle(
  candidate: Candidate,
  requiredSkills: readonly string[],
  trustDomain: string | undefined,
  budget: NonNullable<Coordinator['budget']>,
): string | null {
  const missing = requiredSkills.filter((skill) => !has(candidate, skill));
  if (missing.length > 0) return `lacks ${missing.join(', ')}`;
  if (trustDomain !== undefined && candidate.trust_domain?.toLowerCase() !== trustDomain.toLowerCase())
    return candidate.trust_domain === null ? 'is of no trust domain' : `is of trust domain ${candidate.trust_domain}`;
  const { max_cost_usd, max_latency_ms } = budget;
  const cost = COST[candidate.cost_class ?? '']?.usd;
  if (max_cost_usd !== undefined && cost !== undefined && cost > max_cost_usd) return `costs about ${cost} USD`;
  const latency = usualLatencyMs(candidate);
  if (max_latency_ms !== undefined && latency !== null && latency > max_latency_ms)
    return `takes about ${Math.round(latency)} ms`;
  return null;
}

function has({ skills }: Candidate, skill: string): boolean {
  return skills.some((own) => own.toLowerCase() === skill.toLowerCase());
}

function preferenceFit(candidate: Candidate, preferred: readonly string[]): number {
  return preferred.length === 0 ? 1 : preferred.filter((skill) => has(candidate, skill)).length / preferred.length;
}

function fitOf(classes: Readonly<Record<string, { readonly fit: number }>>, name: string | null): number {
  return classes[name ?? '']?.fit ?? UNKNOWN_FIT;
}

function measured({ history }: Candidate): AgentOutcomes | null {
  return history !== null && history.calls >= ENOUGH_CALLS ? history : null;
}

function usualLatencyMs(candidate: Candidate): number | null {
  return measured(candidate)?.meanMs ?? LATENCY[candidate.latency_class ?? '']?.ms ?? null;
}

function latencyFit(candidate: Candidate): number {
  const history = measured(candidate);
  return history === null ? fitOf(LATENCY, candidate.latency_class) : rounded(1 / (1 + history.meanMs / HALF_FIT_MS));
}

/** A few calls say little: the rate begins at one half. */
function successRate(history: AgentOutcomes | null): number {
  return history === null ? UNKNOWN_FIT : rounded((history.calls - history.failures + 1) / (history.calls + 2));
}

/** As they stand in events. */
export function loggedCandidate({ history, description: _, ...candidate }: Candidate): JsonObject {
  return { ...candidate, ...(history === null ? {} : { history: { ...history } }) } as unknown as JsonObject;
}
