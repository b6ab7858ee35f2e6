import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import { type Coordinator, DEFAULT_THRESHOLD } from '../../../machines/nodes/coordinator.ts';
import type { Work } from '../../../machines/run.ts';
import { shortened } from '../../../machines/shortened.ts';
import type { AgentDirectory, AgentOutcomes, RegisteredAgent } from '../a2a/directory.ts';
import { type Executor, type LogProgress, type WorkContext, WorkError, type WorkResult } from '../executor.ts';
import { asWorkError } from '../failure.ts';
import { invalid, typeOf } from '../http-content.ts';
import type { Models } from '../model/ask.ts';
import {
  type Candidate,
  candidatesOf,
  type FilteredOut,
  loggedCandidate,
  type Ranking,
  type Scoring,
  scored,
} from './scoring.ts';
import type { Decision, Steps, Task } from './steps.ts';
import { choose } from './tiebreaker.ts';

/** Agents that are looked at, at most. */
const MAX_AGENTS = 500;
/** Agents that an event names. */
const MAX_LOGGED = 50;

/** What `coordinator` nodes need. */
export interface CoordinatorAccess {
  readonly directory: AgentDirectory;
  readonly models: Models;
  /** Base URL of a coordinator server, which discovers, scores and decides instead of this runtime. */
  readonly bridgeUrl: string | undefined;
}

type Method = 'single_candidate' | 'structured' | 'llm_tiebreaker' | 'no_candidates' | 'below_threshold' | 'tiebreaker_failed';

/**
 * Executor of `coordinator` nodes: finds the registered agents that can do the task, scores them and selects one. Each step is logged, and an
 * attempt after a crash keeps a decision that was logged. Fails by `no_agent` if no agent can do it.
 */
export function coordinatorExecutor(kind: Coordinator, access: CoordinatorAccess): Executor {
  return async (work, context, _onText, log) => {
    const made = work.progress.coordinator_decision;
    if (made !== undefined && typeof made.selected === 'string') {
      const known = work.progress.coordinator_discovery?.candidates;
      const candidates = Array.isArray(known) ? (known as readonly Json[]).filter(isObject) : [];
      return resultOf(
        kind,
        made.selected,
        candidates.find(({ uri }) => uri === made.selected),
        made,
      );
    }
    const task = taskOf(work);
    const steps = await stepsOf(kind, access, task, context);
    const { candidates, filteredOut } = await steps.discover();
    await log?.('coordinator_discovery', {
      query_skills: kind.required_skills,
      query_trust_domain: kind.trust_domain ?? null,
      candidates: candidates.slice(0, MAX_LOGGED).map(loggedCandidate),
      filtered_out: listed(filteredOut),
    });
    if (candidates.length === 0) {
      await logDecision(log, { selected: null, method: 'no_candidates', reasoning: null, confidence: 0, rejected: filteredOut });
      throw noAgent(kind, filteredOut);
    }
    const scoring = await steps.score(candidates);
    await log?.('coordinator_scoring', {
      rankings: scoring.rankings.slice(0, MAX_LOGGED) as unknown as Json,
      spread: scoring.spread,
      weights: { ...kind.weights },
    });
    const decision = await steps.decide(candidates, scoring);
    const chosen = candidates.find(({ uri }) => uri === decision.selected);
    const { usage } = decision;
    if (decision.selected === null || chosen === undefined)
      throw withUsage(new WorkError('the coordinator has selected no agent', { retryable: true, errorClass: 'no_agent' }), usage);
    const data = await logDecision(log, decision);
    return { ...resultOf(kind, chosen.uri, loggedCandidate(chosen), data), ...(usage === undefined ? {} : { usage }) };
  };
}

async function stepsOf(kind: Coordinator, access: CoordinatorAccess, task: Task, context: WorkContext): Promise<Steps> {
  if (access.bridgeUrl !== undefined) {
    const { bridgeSteps } = await import('./bridge.ts');
    return bridgeSteps(access.bridgeUrl, kind, task, context);
  }
  if (kind.strategy !== 'default')
    throw invalid(`the strategy "${kind.strategy}" is one of a coordinator server: set JAMJET_COORDINATOR_URL, or use "default"`);
  return builtInSteps(kind, access, task, context);
}

function builtInSteps(kind: Coordinator, { directory, models }: CoordinatorAccess, task: Task, context: WorkContext): Steps {
  const { tenantId } = context;
  return {
    async discover() {
      const [skill] = kind.required_skills;
      const agents = await directory.search(tenantId, skill === undefined ? {} : { skill }, MAX_AGENTS);
      return candidatesOf(kind, agents, await outcomesOf(directory, tenantId, agents));
    },
    score: async (candidates) => scored(kind, candidates),
    decide: (candidates, scoring) => decide(kind, candidates, scoring, models, task, context),
  };
}

async function outcomesOf(
  directory: AgentDirectory,
  tenantId: string,
  agents: readonly RegisteredAgent[],
): Promise<ReadonlyMap<string, AgentOutcomes>> {
  const uris = agents.map(({ uri }) => uri);
  return uris.length === 0 ? new Map() : ((await directory.outcomes?.(tenantId, uris)) ?? new Map());
}

async function decide(
  { tiebreaker }: Coordinator,
  candidates: readonly Candidate[],
  { rankings, spread }: Scoring,
  models: Models,
  task: Task,
  context: WorkContext,
): Promise<Decision> {
  const [best] = rankings as readonly [Ranking, ...Ranking[]];
  const byScore = (method: Method, reasoning: string, confidence: number): Decision => ({
    selected: best.uri,
    method,
    reasoning,
    confidence,
    rejected: rejectedBy(best.uri, rankings),
  });
  if (rankings.length === 1) return byScore('single_candidate', 'it is the only agent that can do the task', 1);
  const lead = `its score is ${best.composite}, ${spread} more than the next one`;
  if (spread > (tiebreaker?.threshold ?? DEFAULT_THRESHOLD)) return byScore('structured', lead, Math.min(1, 0.5 + spread));
  if (tiebreaker === undefined) return byScore('below_threshold', lead, 0.5);
  const close = rankings.slice(0, tiebreaker.max_candidates).map((ranking) => ({
    ranking,
    candidate: candidates.find(({ uri }) => uri === ranking.uri) as Candidate,
  }));
  try {
    const { uri, reasoning, confidence, usage } = await choose(tiebreaker, task, close, models, context);
    return { selected: uri, method: 'llm_tiebreaker', reasoning, confidence, rejected: rejectedBy(uri, rankings), usage };
  } catch (error) {
    if (context.signal.aborted) throw error;
    const failure = asWorkError(error);
    const decision = byScore('tiebreaker_failed', shortened(`${lead}; the tiebreaker failed: ${failure.message}`, 2_000), 0.5);
    return { ...decision, usage: failure.usage ?? undefined };
  }
}

function rejectedBy(selected: string, rankings: readonly Ranking[]): readonly FilteredOut[] {
  return rankings.filter(({ uri }) => uri !== selected).map(({ uri, composite }) => ({ uri, reason: `score ${composite}` }));
}

function taskOf({ input }: Work): Task {
  const { task, input_mapping: context } = isObject(input) ? input : {};
  if (typeof task !== 'string' || task === '')
    throw invalid(`task must give a text, not ${task === '' ? 'an empty one' : typeOf(task)}`);
  return { task, context };
}

/** The data of the event. */
async function logDecision(log: LogProgress | undefined, { usage, rejected, ...decision }: Decision): Promise<JsonObject> {
  const { input_tokens: input, output_tokens: output, cost_usd } = usage ?? {};
  const data = {
    ...decision,
    rejected: listed(rejected),
    tiebreaker_tokens: input === undefined && output === undefined ? null : { input: input ?? null, output: output ?? null },
    tiebreaker_cost: cost_usd ?? null,
  };
  await log?.('coordinator_decision', data);
  return data;
}

function listed(agents: readonly FilteredOut[]): JsonObject[] {
  return agents.slice(0, MAX_LOGGED).map(({ uri, reason }) => ({ uri, reason }));
}

function resultOf(kind: Coordinator, uri: string, candidate: JsonObject | undefined, decision: JsonObject): WorkResult {
  const { method = null, confidence = null, reasoning = null } = decision;
  const { agent_id = null, name = null } = candidate ?? {};
  const output = { selected: uri, agent_id, name, method, confidence, reasoning };
  return { output, ...(kind.output_key === undefined ? {} : { patch: { [kind.output_key]: uri } }) };
}

function noAgent({ required_skills }: Coordinator, filteredOut: readonly FilteredOut[]): WorkError {
  const skills = required_skills.length === 0 ? '' : ` with the skills ${required_skills.join(', ')}`;
  const [first] = filteredOut;
  const others = first === undefined ? '' : `; ${filteredOut.length} left out, such as ${first.uri}, which ${first.reason}`;
  return new WorkError(shortened(`no registered agent${skills} can do the task${others}`, 1_000), {
    retryable: false,
    errorClass: 'no_agent',
  });
}

function withUsage(failure: WorkError, usage: Usage | undefined): WorkError {
  return usage === undefined ? failure : failure.withUsage(usage);
}
