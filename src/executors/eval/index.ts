import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import type { Eval, Scorer } from '../../../machines/nodes/eval.ts';
import type { Work } from '../../../machines/run.ts';
import { type Executor, type WorkContext, WorkError } from '../executor.ts';
import { asWorkError } from '../failure.ts';
import type { Models } from '../model/index.ts';
import { toJson } from '../to-json.ts';
import { judgeScore } from './judge.ts';
import { assertionScore, costScore, customScore, feedbackOf, latencyScore, type Score } from './scores.ts';

export interface EvalAccess {
  readonly models: Models;
  /** The tool of that name that this process can call; null = it has none. */
  readonly toolOf: (name: string) => Executor | null;
}

/**
 * Executor of `eval` nodes: scores what reached the node. The output is `{passed, scorers, feedback}`; the machine decides what follows. The
 * scorers that cost nothing come first, so that a node whose judge fails has not paid for the others.
 */
export function evalExecutor(kind: Eval, access: EvalAccess): Executor {
  return async (work, context) => {
    const scores: Score[] = [];
    let usage: Usage | undefined;
    for (const [i, scorer] of byCost(kind.scorers)) {
      const scored = await scoreBy(kind, i, scorer, work, context, access).catch((error: unknown) => {
        // The judges before it were paid all the same.
        const failure = asWorkError(error);
        const paid = sumOf(usage, failure.usage ?? undefined);
        throw paid === undefined ? failure : failure.withUsage(paid);
      });
      scores[i] = scored.score;
      usage = sumOf(usage, scored.usage);
    }
    const passed = scores.every((score) => score.passed);
    const output = { passed, scorers: scores as unknown as Json[], ...(passed ? {} : { feedback: feedbackOf(scores) }) };
    return { output, ...(usage === undefined ? {} : { usage }) };
  };
}

/** With their positions; the judges last. */
function byCost(scorers: readonly Scorer[]): readonly (readonly [number, Scorer])[] {
  const listed = scorers.map((scorer, i) => [i, scorer] as const);
  const isJudge = ([, { type }]: readonly [number, Scorer]): boolean => type === 'llm_judge';
  return [...listed.filter((entry) => !isJudge(entry)), ...listed.filter(isJudge)];
}

interface Scored {
  readonly score: Score;
  readonly usage?: Usage | undefined;
}

async function scoreBy(
  kind: Eval,
  index: number,
  scorer: Scorer,
  work: Work,
  context: WorkContext,
  { models, toolOf }: EvalAccess,
): Promise<Scored> {
  const { input: output = null, rubrics = [], execution_input = null } = isObject(work.input) ? work.input : {};
  switch (scorer.type) {
    case 'assertion':
      return {
        score: assertionScore(scorer.checks, { output, outputKey: keyIn(kind, work), state: work.state, input: execution_input }),
      };
    case 'latency':
      return { score: latencyScore(scorer.threshold_ms, numberIn(work.payload.preceding_duration_ms)) };
    case 'cost':
      return { score: costScore(scorer.threshold_usd, numberIn(work.payload.preceding_cost_usd)) };
    case 'llm_judge': {
      const position = kind.scorers.slice(0, index).filter(({ type }) => type === 'llm_judge').length;
      const rubric = Array.isArray(rubrics) ? (rubrics[position] ?? '') : '';
      const { forModels = (value: Json) => value } = work;
      const asked = forModels(typeof rubric === 'string' ? rubric : JSON.stringify(rubric));
      return judgeScore(scorer, String(asked), { output: forModels(output) }, models, context);
    }
    case 'custom': {
      const tool = toolOf(scorer.module);
      if (tool === null) {
        throw new WorkError(`the scorer "${scorer.module}" is not a tool of this runtime, nor an HTTP tool of the workflow`, {
          retryable: false,
          errorClass: 'unknown_tool',
        });
      }
      const given: JsonObject = { output, kwargs: scorer.kwargs };
      const { output: returned } = await tool({ ...work, input: given }, context);
      return { score: customScore(scorer.module, toJson(returned, 'score')) };
    }
    default: {
      const unhandled: never = scorer;
      throw new TypeError(`unhandled scorer ${JSON.stringify(unhandled)}`);
    }
  }
}

/** The state key under which what is scored is found, too: that of the output which reached the node. */
function keyIn({ input_expr }: Eval, { payload }: Work): string | null {
  const { preceding_output_key: key } = payload;
  return input_expr === undefined && typeof key === 'string' ? key : null;
}

function numberIn(value: Json | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

/** What both took together, named after the first. */
function sumOf(first: Usage | undefined, second: Usage | undefined): Usage | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  const sum = (key: 'input_tokens' | 'output_tokens' | 'cost_usd') =>
    first[key] === undefined && second[key] === undefined ? {} : { [key]: (first[key] ?? 0) + (second[key] ?? 0) };
  return { ...first, ...sum('input_tokens'), ...sum('output_tokens'), ...sum('cost_usd') };
}
