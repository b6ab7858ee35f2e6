import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../machines/json.ts';
import { judgeScore } from '../executors/eval/judge.ts';
import type { Score } from '../executors/eval/scores.ts';
import { WorkError } from '../executors/executor.ts';
import { resolveModel } from '../executors/model/resolve.ts';
import type { ModelSettings } from '../executors/model/settings.ts';
import type { EvalRow } from './dataset.ts';

const ATTEMPTS = 3;
const RETRY_MS = 1_000;
/** Longest time for which a provider is waited for. */
const MAX_WAIT_MS = 60_000;
const TIMEOUT_MS = 120_000;

export interface JudgeOptions {
  readonly model: string;
  readonly rubric: string;
  readonly minScore: number;
  readonly settings: ModelSettings;
}

/** A judge that asks its model from this process. Throws `WorkError` at once if the model is not known, or has no key. */
export function judgeBy({ model, rubric, minScore, settings }: JudgeOptions) {
  if (settings.script === undefined && settings.sidecarUrl === undefined) resolveModel(model, settings);
  const models = { settings, allowlistOf: async () => [] };
  const judge = { model, min_score: minScore };
  return async (output: Json, row: EvalRow, signal: AbortSignal): Promise<Score> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
        const judged = row.expected === undefined ? { output } : { output, expected: row.expected };
        return (await judgeScore(judge, rubric, judged, models, { tenantId: 'default', signal: limited })).score;
      } catch (error) {
        const mayRetry = error instanceof WorkError && error.retryable && attempt + 1 < ATTEMPTS && !signal.aborted;
        if (!mayRetry) throw error;
        await sleep(Math.min(MAX_WAIT_MS, error.retryAfterMs ?? RETRY_MS * 2 ** attempt), undefined, { signal });
      }
    }
  };
}
