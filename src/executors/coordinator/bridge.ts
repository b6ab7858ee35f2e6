import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { type Coordinator, DEFAULT_THRESHOLD, DIMENSIONS } from '../../../machines/nodes/coordinator.ts';
import { declaredNameOf } from '../../../machines/nodes/model-names.ts';
import { shortened } from '../../../machines/shortened.ts';
import { type WorkContext, WorkError } from '../executor.ts';
import { guardedFetch } from '../model/guarded-fetch.ts';
import { type Candidate, type FilteredOut, loggedCandidate, type Ranking, spreadOf } from './scoring.ts';
import type { Decision, Steps, Task } from './steps.ts';

const MAX_RESPONSE_BYTES = 2 * 1024 * 1024;
const DEFAULT_MAX_CANDIDATES = 3;

/** The steps of a coordinator server: `POST <url>/coordinator/discover`, `…/score` and `…/decide`. */
export function bridgeSteps(url: string, kind: Coordinator, { task, context }: Task, work: WorkContext): Steps {
  const post = (step: string, body: JsonObject): Promise<JsonObject> => call(url, step, body, work);
  const asked = {
    task,
    required_skills: kind.required_skills,
    preferred_skills: kind.preferred_skills,
    trust_domain: kind.trust_domain ?? null,
    strategy_name: kind.strategy,
    context: isObject(context) ? context : context === undefined ? {} : { input: context },
  };
  return {
    async discover() {
      const { candidates, filtered_out } = await post('discover', { ...asked, budget: kind.budget ?? null });
      return { candidates: objectsIn('candidates', candidates).map(candidateOf), filteredOut: filteredIn(filtered_out) };
    },
    async score(candidates) {
      const body = { ...asked, candidates: candidates.map(loggedCandidate), weights: { ...kind.weights } };
      const { rankings: given, spread } = await post('score', body);
      const rankings = objectsIn('rankings', given).map(rankingOf);
      return { rankings, spread: typeof spread === 'number' ? spread : spreadOf(rankings) };
    },
    async decide(_candidates, { rankings, spread }) {
      const { tiebreaker } = kind;
      const best = rankings.slice(0, tiebreaker?.max_candidates ?? DEFAULT_MAX_CANDIDATES);
      return decisionOf(
        await post('decide', {
          ...asked,
          rankings: rankings as unknown as Json,
          spread,
          top_candidates: best as unknown as Json,
          threshold: tiebreaker?.threshold ?? DEFAULT_THRESHOLD,
          tiebreaker_model: tiebreaker === undefined ? null : declaredNameOf(tiebreaker.model, tiebreaker.declared),
        }),
      );
    },
  };
}

async function call(
  url: string,
  step: string,
  body: JsonObject,
  { signal, executionId, idempotencyKey }: WorkContext,
): Promise<JsonObject> {
  const response = await guardedFetch(MAX_RESPONSE_BYTES)(`${url.replace(/\/+$/, '')}/coordinator/${step}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-jamjet-execution': executionId,
      'idempotency-key': encodeURIComponent(`${idempotencyKey}:${step}`),
    },
    body: JSON.stringify(body),
    signal,
  });
  const text = await response.text();
  const answer = parsed(text);
  if (response.ok && answer !== null) return answer;
  const retryable = response.ok || response.status >= 500 || response.status === 429;
  const said = answer !== null && typeof answer.error === 'string' ? answer.error : text;
  throw new WorkError(
    response.ok
      ? `the coordinator server answered ${step} with something other than a JSON object`
      : `the coordinator server answered ${step} with ${response.status}: ${shortened(said.replace(/\s+/g, ' '), 300)}`,
    {
      retryable,
      errorClass: response.ok
        ? 'invalid_response'
        : response.status === 429
          ? 'rate_limit'
          : retryable
            ? 'server_error'
            : 'client_error',
      httpStatus: response.status,
    },
  );
}

function parsed(text: string): JsonObject | null {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function objectsIn(key: string, value: Json | undefined): readonly JsonObject[] {
  if (Array.isArray(value) && value.every((item: Json) => isObject(item) && typeof item.uri === 'string' && item.uri !== ''))
    return value as readonly JsonObject[];
  throw nonsense(`${key} must be a list of objects with a uri`);
}

function candidateOf({
  uri,
  agent_card,
  skills,
  latency_class,
  cost_class,
  trust_domain,
  reasoning_modes,
}: JsonObject): Candidate {
  const card = isObject(agent_card) ? agent_card : {};
  return {
    uri: String(uri),
    agent_id: textIn(card.id) ?? String(uri),
    name: textIn(card.name) ?? String(uri),
    description: shortened(textIn(card.description) ?? '', 500),
    skills: textsIn(skills),
    latency_class: textIn(latency_class),
    cost_class: textIn(cost_class),
    trust_domain: textIn(trust_domain),
    reasoning_modes: textsIn(reasoning_modes),
    history: null,
  };
}

function rankingOf({ uri, scores, composite }: JsonObject): Ranking {
  if (typeof composite !== 'number') throw nonsense('rankings must have a composite score');
  const given = isObject(scores) ? scores : {};
  const numbers = DIMENSIONS.map((name) => [name, typeof given[name] === 'number' ? given[name] : 0]);
  return { uri: String(uri), scores: Object.fromEntries(numbers) as Ranking['scores'], composite };
}

function filteredIn(value: Json | undefined): readonly FilteredOut[] {
  const items = Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
  return items.map(({ uri, reason }) => ({ uri: String(uri), reason: textIn(reason) ?? '' }));
}

function decisionOf(answer: JsonObject): Decision {
  const { selected_uri, method, reasoning, confidence, rejected, tiebreaker_tokens, tiebreaker_cost } = answer;
  const { input, output } = isObject(tiebreaker_tokens) ? tiebreaker_tokens : {};
  const usage = {
    ...(isCount(input) ? { input_tokens: input } : {}),
    ...(isCount(output) ? { output_tokens: output } : {}),
    ...(typeof tiebreaker_cost === 'number' && tiebreaker_cost >= 0 ? { cost_usd: tiebreaker_cost } : {}),
  };
  return {
    selected: textIn(selected_uri),
    method: textIn(method) ?? 'structured',
    reasoning: typeof reasoning === 'string' ? shortened(reasoning, 2_000) : null,
    confidence: typeof confidence === 'number' ? confidence : 0.5,
    rejected: filteredIn(rejected),
    ...(Object.keys(usage).length === 0 ? {} : { usage }),
  };
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function textIn(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function textsIn(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((item): item is string => typeof item === 'string') : [];
}

function nonsense(problem: string): WorkError {
  return new WorkError(`the coordinator server sent nonsense: ${problem}`, { retryable: true, errorClass: 'invalid_response' });
}
