import { definitionOf } from '../../../../machines/nodes/index.ts';
import type { Run } from '../../../../machines/run.ts';
import { workOf } from '../../../../machines/step/index.ts';
import { costOf } from '../../../executors/model/prices.ts';
import type { ModelSettings } from '../../../executors/model/settings.ts';
import type { ActivityTask } from './activity-task.ts';

/** The most that a call of a model may use. */
export interface CallAmount {
  readonly input: number;
  readonly output: number;
  /** Null = the model's price is not known. */
  readonly costUsd: number | null;
}

/** Output tokens of a call without `max_tokens`: no model writes more in one answer. */
const MAX_OUTPUT_TOKENS = 131_072;
/** Input tokens that providers add to a request, e.g. to describe tools. */
const OVERHEAD_TOKENS = 1_000;

/** Kinds with one call in an attempt, whose input is the request. */
const SINGLE_CALL: ReadonlySet<string> = new Set(['model', 'agent']);

/** A text has at most one token per byte. Null = the most is not known. */
export function callAmount({ loaded, node, executionId }: ActivityTask, run: Run, settings: ModelSettings): CallAmount | null {
  const { kind } = loaded.program.tables.nodeOf(node);
  if (!SINGLE_CALL.has(kind.type)) return null;
  const { payload, inputErrors } = workOf(loaded.program, run, node, { executionId, vars: loaded.vars });
  if (inputErrors.length > 0) return null;
  const names = definitionOf(kind).models(kind);
  const named = names.map((name) => settings.names?.[name]).find((model) => model !== undefined);
  const max = 'max_tokens' in kind && typeof kind.max_tokens === 'number' ? kind.max_tokens : named?.maxTokens;
  const input = Buffer.byteLength(JSON.stringify({ input: payload.input, kind })) + OVERHEAD_TOKENS;
  const output = max ?? MAX_OUTPUT_TOKENS;
  const tokens = { input, output, cachedInput: 0 };
  const prices = [...(named === undefined ? [] : [named.model]), ...names].map((name) => costOf(name, tokens, settings.prices));
  return { input, output, costUsd: prices.find((price) => price !== null) ?? null };
}
