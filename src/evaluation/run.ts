import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { assertionScore, costScore, latencyScore, type Score } from '../executors/eval/scores.ts';
import type { EvalRow } from './dataset.ts';
import { type LoggedEvent, trajectoryOf, trajectoryScore } from './trajectory.ts';

/** An execution that has ended. */
export interface EndedExecution {
  readonly executionId: string;
  readonly status: string;
  readonly state: Json;
  readonly error: string | null;
  readonly durationMs: number;
  readonly events: readonly LoggedEvent[];
}

/** What a data set is run on. */
export interface EvalTarget {
  /** Starts an execution and resolves with its end. Rejects if it cannot be started, or does not end in time. */
  run(row: EvalRow, signal: AbortSignal): Promise<EndedExecution>;
}

/** How the outputs are scored. */
export interface Scoring {
  readonly assertions: readonly string[];
  readonly latencyMs: number | null;
  readonly costUsd: number | null;
  /** Null = no model judges. */
  readonly judge: ((output: Json, row: EvalRow, signal: AbortSignal) => Promise<Score>) | null;
}

/** The result of a row, as it is printed and written to a file. */
export interface EvalResult {
  readonly row_id: string;
  readonly passed: boolean;
  /** Mean of the scores that are numbers of 0 to 5: those of judges, assertions and trajectories; null = none. */
  readonly overall_score: number | null;
  readonly duration_ms: number | null;
  /** Null = not known. */
  readonly cost_usd: number | null;
  readonly error: string | null;
  readonly scorers: readonly Score[];
  readonly output: Json;
  readonly input: Json;
  readonly expected: Json;
  /** The tools that were called, in order; null if the execution did not end. */
  readonly trajectory: readonly string[] | null;
  readonly execution_id: string | null;
}

export interface EvalOptions {
  readonly target: EvalTarget;
  readonly scoring: Scoring;
  /** Rows at the same time, at most. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly onResult: (result: EvalResult) => void;
}

/** Runs every row and scores what comes out. Results have the order of the rows. Rejects only with the reason of the signal. */
export async function runRows(rows: readonly EvalRow[], options: EvalOptions): Promise<readonly EvalResult[]> {
  const results: EvalResult[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < rows.length; at = next++) {
      options.signal.throwIfAborted();
      const row = rows[at];
      if (row === undefined) return;
      const result = await runRow(row, options);
      options.signal.throwIfAborted();
      results[at] = result;
      options.onResult(result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, rows.length) }, worker));
  return results;
}

async function runRow(row: EvalRow, { target, scoring, signal }: EvalOptions): Promise<EvalResult> {
  const known = { row_id: row.id, input: row.input, expected: row.expected ?? null };
  const failed = { ...known, passed: false, overall_score: null, scorers: [], output: null };
  let ended: EndedExecution;
  try {
    ended = await target.run(row, signal);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ...failed, duration_ms: null, cost_usd: null, error: message, trajectory: null, execution_id: null };
  }
  const { executionId: execution_id, status, state: output, error, durationMs: duration_ms, events } = ended;
  const cost_usd = costOf(events);
  const trajectory = trajectoryOf(events);
  const measured = { duration_ms, cost_usd, trajectory: trajectory.tools, execution_id };
  if (status !== 'completed')
    return { ...failed, ...measured, error: `execution ${status}${error === null ? '' : `: ${error}`}` };
  const scorers = await scoresOf(row, ended, cost_usd, scoring, signal);
  if (row.expectedTrajectory !== undefined) scorers.push(trajectoryScore(row.expectedTrajectory, trajectory));
  return {
    ...known,
    passed: scorers.every(({ passed }) => passed),
    overall_score: meanOf(scorers),
    ...measured,
    error: null,
    scorers,
    output,
  };
}

async function scoresOf(
  row: EvalRow,
  { state: output, durationMs }: EndedExecution,
  costUsd: number | null,
  { assertions, latencyMs, costUsd: limitUsd, judge }: Scoring,
  signal: AbortSignal,
): Promise<Score[]> {
  const scores: Score[] = [];
  if (assertions.length > 0) {
    // `expected` and `input` are bare names, which are looked up here when the output does not have them.
    const state: JsonObject = { expected: row.expected ?? null, metadata: row.metadata ?? null };
    scores.push(assertionScore(assertions, { output, state, input: row.input }));
  }
  if (latencyMs !== null) scores.push(latencyScore(latencyMs, durationMs));
  if (limitUsd !== null) scores.push(costScore(limitUsd, costUsd));
  if (judge !== null) {
    scores.push(
      await judge(output, row, signal).catch((error: unknown): Score => {
        const message = `the judge failed: ${error instanceof Error ? error.message : String(error)}`;
        return { scorer: 'llm_judge', passed: false, score: null, message };
      }),
    );
  }
  return scores;
}

/** Events whose usage is their own. */
const METERED = new Set(['node_completed', 'node_failed', 'eval_scored', 'child_workflow_completed', 'child_workflow_failed']);

/** What the execution cost; null if a model was used whose cost is not known. */
function costOf(events: readonly LoggedEvent[]): number | null {
  let sum = 0;
  for (const { type, data } of events) {
    if (!METERED.has(type)) continue;
    if (typeof data.cost_usd === 'number') sum += data.cost_usd;
    else if (Number(data.input_tokens ?? 0) + Number(data.output_tokens ?? 0) > 0) return null;
  }
  return Number(sum.toFixed(9));
}

const SCALED = new Set(['llm_judge', 'assertion', 'trajectory']);

function meanOf(scores: readonly Score[]): number | null {
  const numbers = scores.flatMap(({ scorer, score }) => (score === null || !SCALED.has(scorer) ? [] : [score]));
  return numbers.length === 0 ? null : numbers.reduce((sum, score) => sum + score, 0) / numbers.length;
}

/** The share of rows that passed, in percent. */
export function passRate(results: readonly { readonly passed: boolean }[]): number {
  return results.length === 0 ? 0 : (100 * results.filter(({ passed }) => passed).length) / results.length;
}

/** Reads results that were written to a file. Throws `TypeError` if they are none. */
export function readResults(document: unknown): readonly EvalResult[] {
  if (!Array.isArray(document)) throw new TypeError('it must be a list of results');
  return (document as readonly Json[]).map((result, i) => {
    if (!isObject(result) || typeof result.row_id !== 'string' || typeof result.passed !== 'boolean')
      throw new TypeError(`entry ${i + 1} is no result {row_id, passed, …}`);
    return result as unknown as EvalResult;
  });
}
