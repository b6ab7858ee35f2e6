import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import type { Eval, Scorer } from '../../../machines/nodes/eval.ts';
import type { Work } from '../../../machines/run.ts';
import { usageSum } from '../../../machines/step/actions/usage.ts';
import { type Executor, type WorkContext, WorkError } from '../executor.ts';
import { asWorkError } from '../failure.ts';
import type { Models } from '../model/ask.ts';
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
    let usage: Usage | null = null;
    /** Of the judge that is being asked. */
    let asked: (() => Usage | null) | null = null;
    // Named after the first judge.
    const including = (more: Usage | null): Usage | null => (usage === null ? more : usageSum(more, usage));
    context.meter?.(() => including(asked?.() ?? null));
    const meter = (used: () => Usage | null) => {
      asked = used;
      return () => {
        asked = null;
      };
    };
    for (const [i, scorer] of byCost(kind.scorers)) {
      const scored = await scoreBy(kind, i, scorer, work, { context, meter }, access).catch((error: unknown) => {
        // The judges before it were paid all the same.
        const failure = asWorkError(error);
        const paid = including(failure.usage);
        throw paid === null ? failure : failure.withUsage(paid);
      });
      scores[i] = scored.score;
      usage = including(scored.usage ?? null);
    }
    const passed = scores.every((score) => score.passed);
    const output = { passed, scorers: scores as unknown as Json[], ...(passed ? {} : { feedback: feedbackOf(scores) }) };
    return { output, ...(usage === null ? {} : { usage }) };
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
  readonly usage?: Usage;
}

async function scoreBy(
  kind: Eval,
  index: number,
  scorer: Scorer,
  work: Work,
  { context, meter }: { readonly context: WorkContext; readonly meter: NonNullable<WorkContext['meter']> },
  { models, toolOf }: EvalAccess,
): Promise<Scored> {
  const { tenantId, signal } = context;
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
      return judgeScore(scorer, String(asked), { output: forModels(output) }, models, { tenantId, signal, meter });
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
