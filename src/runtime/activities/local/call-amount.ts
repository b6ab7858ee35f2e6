import type { Usage } from '../../../../machines/messages.ts';
import { definitionOf, type Kind } from '../../../../machines/nodes/index.ts';
import type { Run } from '../../../../machines/run.ts';
import { workOf } from '../../../../machines/step/index.ts';
import { costOf } from '../../../executors/model/prices.ts';
import type { ModelSettings } from '../../../executors/model/settings.ts';
import type { DEFAULT_CALL_LIMITS } from '../../quotas/usage-bounds.ts';
import type { ActivityTask } from './activity-task.ts';

/** The most that a call of a model or of a remote agent may use. */
export interface CallAmount {
  readonly input: number;
  readonly output: number;
  /** Input and output together. */
  readonly total: number;
  readonly costUsd: number;
}

/** What the tenant bounds in a report of usage. */
export type CallLimits = { readonly [L in keyof typeof DEFAULT_CALL_LIMITS]: number };

/** Output tokens of a call without `max_tokens`: no model writes more in one answer. */
const MAX_OUTPUT_TOKENS = 131_072;
/** Input tokens that providers add to a request, e.g. to describe tools. */
const OVERHEAD_TOKENS = 1_000;

/** Kinds with one call in an attempt, whose input is the request. */
const SINGLE_CALL: ReadonlySet<string> = new Set(['model', 'agent']);

/** Null = the most is not known, as of a call within a thread, whose messages are not in its input. */
export function callAmount(task: ActivityTask, run: Run, settings: ModelSettings, limits: CallLimits): CallAmount | null {
  const { kind } = task.loaded.program.tables.nodeOf(task.node);
  if (definitionOf(kind).remoteAgent(kind) !== null) return agentAmount(kind, limits);
  const inThread = task.thread !== null || ('thread' in kind && kind.thread !== undefined);
  return SINGLE_CALL.has(kind.type) && !inThread ? modelAmount(task, kind, run, settings, limits) : null;
}

/** What the node grants, else what a report may have. */
function agentAmount(kind: Kind, { max_tokens_per_call: tokens, max_cost_per_call_usd: costUsd }: CallLimits): CallAmount {
  const { max_tokens, max_cost_usd } = kind.type === 'agent_tool' ? (kind.budget ?? {}) : {};
  return {
    input: Math.min(tokens, max_tokens ?? tokens),
    output: Math.min(tokens, max_tokens ?? tokens),
    total: Math.min(2 * tokens, max_tokens ?? 2 * tokens),
    costUsd: Math.min(costUsd, max_cost_usd ?? costUsd),
  };
}

/** A text has at most one token per byte. */
function modelAmount(
  task: ActivityTask,
  kind: Kind,
  run: Run,
  settings: ModelSettings,
  { max_cost_per_call_usd }: CallLimits,
): CallAmount | null {
  const { loaded, executionId } = task;
  const { payload, inputErrors } = workOf(loaded.program, run, task, { executionId, vars: loaded.vars });
  if (inputErrors.length > 0) return null;
  const names = definitionOf(kind).models(kind);
  const named = names.map((name) => settings.names?.[name]).find((model) => model !== undefined);
  const max = 'max_tokens' in kind && typeof kind.max_tokens === 'number' ? kind.max_tokens : named?.maxTokens;
  const input = Buffer.byteLength(JSON.stringify({ input: payload.input, kind })) + OVERHEAD_TOKENS;
  const output = max ?? MAX_OUTPUT_TOKENS;
  const tokens = { input, output, cachedInput: 0 };
  const prices = [...(named === undefined ? [] : [named.model]), ...names].map((name) => costOf(name, tokens, settings.prices));
  const costUsd = prices.find((price) => price !== null) ?? max_cost_per_call_usd;
  return { input, output, total: input + output, costUsd };
}

/** What a call in progress has reported, which is not in the run yet. */
export function reportedAmount({ input_tokens: input = 0, output_tokens: output = 0, cost_usd: costUsd = 0 }: Usage): CallAmount {
  return { input, output, total: input + output, costUsd };
}
