import { Budget } from '../../../machines/expression/budget.ts';
import { compileExpression, evaluate } from '../../../machines/expression/index.ts';
import { truthy } from '../../../machines/expression/values.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { shortened } from '../../../machines/shortened.ts';
import { toStorableText } from '../../../machines/unicode.ts';
import { WorkError } from '../executor.ts';

/** Longest message of a score, in characters. */
const MAX_MESSAGE = 1_000;

/** The result of one scorer. */
export interface Score {
  readonly scorer: string;
  readonly passed: boolean;
  /** 1 to 5 of a judge, 0 or 1 of assertions, milliseconds, or US dollars; null = none. */
  readonly score: number | null;
  readonly message: string;
}

/** What assertions read: `output` is what is judged; bare names are keys of it, else of `state`. */
export interface Judged {
  readonly output: Json;
  /** `output.<key>` is the output as well, unless it has a field of that name. Default: none. */
  readonly outputKey?: string | null;
  readonly state: JsonObject;
  readonly input: Json;
}

export function scoreOf(scorer: string, passed: boolean, score: number | null, message: string): Score {
  return { scorer, passed, score, message: toStorableText(shortened(message, MAX_MESSAGE)) };
}

/** Passes when every check holds; one that cannot be evaluated does not hold. */
export function assertionScore(checks: readonly string[], { output, outputKey = null, state, input }: Judged): Score {
  const budget = new Budget();
  const failed = checks.flatMap((check) => {
    const { value, error } = evaluate(compileExpression(check), { state, output, outputKey, input, env: {} }, budget);
    if (error !== undefined) return [`${check} (${error})`];
    return truthy(value) ? [] : [check];
  });
  const passed = failed.length === 0;
  const message = passed ? `all ${checks.length} checks hold` : `failed: ${failed.join('; ')}`;
  return scoreOf('assertion', passed, passed ? 1 : 0, message);
}

/** `actualMs` null = not known, which does not pass. */
export function latencyScore(thresholdMs: number, actualMs: number | null): Score {
  if (actualMs === null) return scoreOf('latency', false, null, 'the duration of the work before is not known');
  const rounded = Math.round(actualMs);
  return scoreOf('latency', rounded <= thresholdMs, rounded, `${rounded} ms (limit ${thresholdMs} ms)`);
}

/** `actualUsd` null = not known, which does not pass. */
export function costScore(thresholdUsd: number, actualUsd: number | null): Score {
  if (actualUsd === null) return scoreOf('cost', false, null, 'the cost of the work before is not known: its model has no price');
  return scoreOf('cost', actualUsd <= thresholdUsd, actualUsd, `${actualUsd} USD (limit ${thresholdUsd} USD)`);
}

/** The score that a custom scorer has returned: true or false, or `{passed, score?, message?}`. */
export function customScore(module: string, returned: Json): Score {
  if (typeof returned === 'boolean')
    return scoreOf('custom', returned, null, `${module}: ${returned ? 'passed' : 'did not pass'}`);
  if (!isObject(returned) || typeof returned.passed !== 'boolean')
    throw new WorkError(`the scorer ${module} must return true, false or {passed, score, message}`, {
      retryable: false,
      errorClass: 'validation',
    });
  const { passed, score, message } = returned;
  const text = typeof message === 'string' && message !== '' ? message : passed ? 'passed' : 'did not pass';
  return scoreOf('custom', passed, typeof score === 'number' && Number.isFinite(score) ? score : null, `${module}: ${text}`);
}

/** What did not pass, for the work that runs again. */
export function feedbackOf(scores: readonly Score[]): string {
  const lines = scores.flatMap(({ scorer, passed, message }) => (passed ? [] : [`- ${scorer}: ${message}`]));
  return ['The last result did not pass:', ...lines].join('\n');
}
