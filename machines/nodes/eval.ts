import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { Type } from '../type.ts';
import type { Named, ValueMark } from './field.ts';
import { byRuntime, choice, custom, integer, name, number, readBy, seconds, target, text, variants } from './fields.ts';
import { type DeclaredModel, declareKind, defineKind, type KindOf } from './kind.ts';
import { declaredNameOf, namesOfModel } from './model-names.ts';
import { OUTPUT } from './shared-fields.ts';

const ON_FAIL = ['halt', 'log_and_continue', 'escalate', 'retry_with_feedback'] as const;

/** Scores of a judge go from 1 to 5. */
export const MAX_SCORE = 5;
const DEFAULT_MIN_SCORE = 3;
const DEFAULT_LATENCY_MS = 5_000;
const DEFAULT_COST_USD = 1;

const SCORERS = variants('scorer', 'All of them must pass.', {
  llm_judge: {
    description: 'A model that gives a score from 1 to 5.',
    fields: {
      model: name('The model that judges, named as in a `model` node.', { required: true }),
      rubric: text('What is judged, and what the scores mean. May hold templates.', { required: true }),
      min_score: number(`The lowest score of a judge that passes, of 1 to ${MAX_SCORE}. Default: ${DEFAULT_MIN_SCORE}.`, {
        minimum: 0,
        maximum: MAX_SCORE,
        default: DEFAULT_MIN_SCORE,
      }),
      declared: byRuntime('The model that `models` names. Set by the runtime.', {
        provider: name('Provider.', { required: true }),
        model: name('Its name there.', { required: true }),
        temperature: number('Temperature.', { minimum: 0 }),
        max_tokens: integer('Tokens of the answer, at most.', { minimum: 1 }),
      }),
    },
  },
  assertion: {
    description: 'Expressions about the output.',
    fields: {
      checks: custom(
        {
          schema: Type.Array(Type.String(), { minItems: 1 }),
          document: Type.Union([Type.Array(Type.String()), Type.String()], {
            description: 'Expressions that must all hold. `output` is what is judged.',
          }),
          read: readChecks,
        },
        { required: true, spellings: ['checks', 'check'] },
      ),
    },
  },
  latency: {
    description: 'The time that the judged work took.',
    fields: {
      threshold_ms: number(`Milliseconds that the work before the node may take. Default: ${DEFAULT_LATENCY_MS}.`, {
        minimum: 0,
        default: DEFAULT_LATENCY_MS,
        spellings: ['threshold_ms', 'max_ms'],
      }),
    },
  },
  cost: {
    description: 'What the judged work cost.',
    fields: {
      threshold_usd: number(`US dollars that the work before the node may cost. Default: ${DEFAULT_COST_USD}.`, {
        minimum: 0,
        default: DEFAULT_COST_USD,
        spellings: ['threshold_usd', 'max_usd', 'max_cost_usd'],
      }),
    },
  },
  custom: {
    description: 'A tool that scores.',
    fields: {
      module: custom(
        {
          document: Type.Unsafe<Named<'tool'>>(
            Type.String({ description: 'The tool that scores: one of the operator, or an HTTP entry of `tools`.' }),
          ),
          // SDKs write an empty `module` beside `scorer_ref`.
          read: (fields: Fields, key: string) => fields.name(key) ?? fields.name('scorer_ref') ?? fields.requiredName(key),
        },
        { required: true, spellings: ['module', 'scorer_ref'] },
      ),
      kwargs: custom(
        {
          document: Type.Unsafe<ValueMark>({ type: 'object', description: 'Arguments for it. Default: none.' }),
          read: (fields: Fields, key: string): JsonObject | undefined => fields.object(key),
        },
        { default: {} },
      ),
    },
  },
});

/** State keys that a result writes, by where a scripted output has their values. */
const PATCHED_KEYS = {
  eval_passed: ['passed'],
  eval_action: ['action'],
  eval_results: ['scorers'],
  eval_feedback: ['feedback'],
} as const;

const EVAL = declareKind({
  type: 'eval',
  description: 'Scores the work before it. The runtime does it itself.',
  fields: {
    scorers: SCORERS,
    on_fail: choice(
      ON_FAIL,
      'When a scorer does not pass: `halt` fails the node, `log_and_continue` goes on, `escalate` asks a person, `retry_with_feedback` runs the work before it again.',
      { default: 'halt', distinctive: true },
    ),
    max_retries: integer('How often that work runs again, at most; then the node fails.', {
      minimum: 0,
      default: 0,
      distinctive: true,
    }),
    input_expr: text('Expression or template for what is judged. Default: the output that reached the node.', {
      spellings: ['input_expr', 'input'],
      distinctive: true,
    }),
    on_approved: target('After `escalate`: node id, or `end`. Default: the edges of the node.'),
    on_rejected: target('After `escalate`: node id, or `end`. Default: the edges of the node if they can tell, else it fails.'),
    on_timeout: target('After `escalate`: node id, or `end`. Default: `fallback_node`, else it fails.'),
    retry_node: target(
      'Where the work begins that runs again: a node on every path to this one. Default: the last one that works.',
      { names: 'node', distinctive: true },
    ),
    review_timeout_secs: readBy(
      seconds('Time that a person has after `escalate`. Default: `timeouts.approval_timeout` of the workflow, else no limit.', {
        otherwise: (_, { approvalTimeoutSecs }) => approvalTimeoutSecs,
        spellings: ['review_timeout'],
      }),
      (usual, fields) => {
        const given = usual();
        return fields.json('on_fail') === 'escalate' ? given : undefined;
      },
    ),
    ...OUTPUT,
  },
});
export type Eval = KindOf<typeof EVAL>;
export type Scorer = Eval['scorers'][number];
type LlmJudge = Extract<Scorer, { readonly type: 'llm_judge' }>;

export const evaluation = defineKind(EVAL, {
  check({ on_fail, max_retries }, fields) {
    if (on_fail !== 'retry_with_feedback' || max_retries > 0) return;
    const hint = 'set max_retries to 1 or more';
    fields.warning('eval_never_retries', 'on_fail', 'is retry_with_feedback, but max_retries is 0', hint);
  },
  queue: () => 'general',
  policyNames: (kind) => ['eval', ...kind.scorers.flatMap(namesOf)],
  inputIsPrompt: false,
  models: (kind) => modelsOfJudges(kind)[0] ?? [],
  furtherModels: (kind) => modelsOfJudges(kind).slice(1),
  catalogModels: (kind) => judgesOf(kind).map((judge) => judge.model),
  withModel: (kind, name, declared) => ({
    ...kind,
    scorers: kind.scorers.map((scorer) => (isJudge(scorer) && scorer.model === name ? withDeclared(scorer, declared) : scorer)),
  }),
  furtherTools: ({ scorers }) =>
    scorers.flatMap((scorer, i) => (scorer.type === 'custom' ? [{ name: scorer.module, key: `scorers[${i}].module` }] : [])),
  assertions: ({ scorers }) =>
    scorers.flatMap((scorer, i) =>
      scorer.type === 'assertion' ? scorer.checks.map((text, j) => ({ text, key: `scorers[${i}].checks[${j}]` })) : [],
    ),
  scoring: ({ on_fail, max_retries, review_timeout_secs }) => ({
    onFail: on_fail,
    maxRetries: max_retries,
    reviewTimeoutMs: review_timeout_secs === undefined ? null : Math.round(review_timeout_secs * 1000),
  }),
  mapping: (kind) => ({
    input: judgedTemplate(kind),
    ...(judgesOf(kind).length === 0 ? {} : { rubrics: judgesOf(kind).map(({ rubric }) => rubric) }),
    // The input of the execution may be large, so it is there only if a check reads it.
    ...(kind.scorers.some((scorer) => scorer.type === 'assertion' && scorer.checks.some((check) => /\binput\b/.test(check)))
      ? { execution_input: '{{ input }}' }
      : {}),
  }),
  mappingKey: null,
  payload: (kind, input) => ({ scorers: kind.scorers as unknown as Json[], on_fail: kind.on_fail, input }),
  testResult: (_kind, { output = true }) => ({
    output: isObject(output) ? { scorers: [], ...output } : { passed: output === true, scorers: [] },
  }),
  patchedKeys: () => PATCHED_KEYS,
  summary: ({ scorers }) => [...new Set(scorers.map(({ type }) => type))].join(', '),
  diagramShape: 'condition',
  letter: 'e',
});

export function judgesOf({ scorers }: Eval): readonly LlmJudge[] {
  return scorers.filter(isJudge);
}

function modelsOfJudges(kind: Eval): readonly (readonly string[])[] {
  return judgesOf(kind).map(({ model, declared }) => namesOfModel(declaredNameOf(model, declared)));
}

function isJudge(scorer: Scorer): scorer is LlmJudge {
  return scorer.type === 'llm_judge';
}

function withDeclared(judge: LlmJudge, { provider, model, temperature, max_tokens }: DeclaredModel): LlmJudge {
  return {
    ...judge,
    declared: { provider, model, ...optional('temperature', temperature), ...optional('max_tokens', max_tokens) },
  };
}

function namesOf(scorer: Scorer): readonly string[] {
  if (scorer.type === 'custom') return [scorer.module];
  return scorer.type === 'llm_judge' ? [scorer.model, declaredNameOf(scorer.model, scorer.declared)] : [];
}

/** An expression, or a template as it is. */
function judgedTemplate({ input_expr = 'output' }: Eval): string {
  return input_expr.includes('{{') ? input_expr : `{{ ${input_expr} }}`;
}

/** A list of checks in `checks`, or one in `check`. */
function readChecks(fields: Fields, key: string): string[] {
  const given = fields.json(key);
  const listed: readonly Json[] = Array.isArray(given) ? given : given === undefined ? [] : [given];
  const checks = listed.flatMap((check) => (typeof check === 'string' && check.trim() !== '' ? [check] : []));
  if (listed.length === 0) fields.error('missing_key', key, 'must list at least one expression');
  else if (checks.length < listed.length) fields.error('wrong_type', key, 'must be texts: one expression each');
  return checks;
}
