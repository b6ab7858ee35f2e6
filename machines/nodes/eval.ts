import { type Static, type TSchema, Type } from 'typebox';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { type DeclaredModel, defineKind, type KindDefinition } from './kind.ts';
import { declaredNameOf, namesOfModel } from './model-names.ts';
import { duration, namedTargets, OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

const SCORER_TYPES = ['llm_judge', 'assertion', 'latency', 'cost', 'custom'] as const;
const ON_FAIL = ['halt', 'log_and_continue', 'escalate', 'retry_with_feedback'] as const;

/** Scores of a judge go from 1 to 5. */
export const MAX_SCORE = 5;
const DEFAULT_MIN_SCORE = 3;
const DEFAULT_LATENCY_MS = 5_000;
const DEFAULT_COST_USD = 1;

const TYPE = { description: 'Type of the scorer.' };

const LlmJudge = Type.Object(
  {
    type: Type.Literal('llm_judge', TYPE),
    model: Type.String({ description: 'The model that judges, named as in a `model` node.' }),
    rubric: Type.String({ description: 'What is judged, and what the scores mean. May hold templates.' }),
    min_score: Type.Number({ minimum: 0, maximum: MAX_SCORE, description: 'The lowest score that passes, of 1 to 5.' }),
    declared: Type.Optional(
      Type.Object(
        {
          provider: Type.String({ description: 'Provider.' }),
          model: Type.String({ description: 'Its name there.' }),
          temperature: Type.Optional(Type.Number({ description: 'Temperature.' })),
          max_tokens: Type.Optional(Type.Integer({ description: 'Tokens of the answer, at most.' })),
        },
        { description: 'The model that `models` names. Set by the runtime.' },
      ),
    ),
  },
  { description: 'A model that gives a score from 1 to 5.' },
);
const Assertion = Type.Object(
  {
    type: Type.Literal('assertion', TYPE),
    checks: Type.Array(Type.String(), {
      minItems: 1,
      description: 'Expressions that must all hold. `output` is what is judged.',
    }),
  },
  { description: 'Expressions about the output.' },
);
const Latency = Type.Object(
  {
    type: Type.Literal('latency', TYPE),
    threshold_ms: Type.Number({ minimum: 0, description: 'Milliseconds that the work before the node may take.' }),
  },
  { description: 'The time that the judged work took.' },
);
const Cost = Type.Object(
  {
    type: Type.Literal('cost', TYPE),
    threshold_usd: Type.Number({ minimum: 0, description: 'US dollars that the work before the node may cost.' }),
  },
  { description: 'What the judged work cost.' },
);
const Custom = Type.Object(
  {
    type: Type.Literal('custom', TYPE),
    module: Type.String({ description: 'The tool that scores: one of the operator, or an HTTP entry of `tools`.' }),
    kwargs: Type.Unsafe<JsonObject>({ type: 'object', description: 'Arguments for it. Default: none.' }),
  },
  { description: 'A tool that scores.' },
);
export type LlmJudge = Static<typeof LlmJudge>;

const Scorer = Type.Union([LlmJudge, Assertion, Latency, Cost, Custom], { description: 'One way to score.' });
export type Scorer = Static<typeof Scorer>;

const inDocument = <T extends TSchema>(schema: T, description: string) => Type.Optional({ ...schema, description });

/** A scorer as documents write it. */
const ScorerDocument = Type.Object(
  {
    type: Type.Enum(SCORER_TYPES, TYPE),
    model: inDocument(Type.String(), 'The model that judges.'),
    rubric: inDocument(Type.String(), 'What a judge judges. May hold templates.'),
    min_score: inDocument(Type.Number(), `The lowest score of a judge that passes. Default: ${DEFAULT_MIN_SCORE}.`),
    checks: inDocument(Type.Union([Type.Array(Type.String()), Type.String()]), 'The expressions of an assertion.'),
    check: inDocument(Type.String(), 'The only expression of an assertion.'),
    threshold_ms: inDocument(Type.Number(), `The limit of a latency. Default: ${DEFAULT_LATENCY_MS}.`),
    max_ms: inDocument(Type.Number(), 'The same as `threshold_ms`.'),
    threshold_usd: inDocument(Type.Number(), `The limit of a cost. Default: ${DEFAULT_COST_USD}.`),
    max_usd: inDocument(Type.Number(), 'The same as `threshold_usd`.'),
    max_cost_usd: inDocument(Type.Number(), 'The same as `threshold_usd`.'),
    module: inDocument(Type.String(), 'The tool of a custom scorer.'),
    scorer_ref: inDocument(Type.String(), 'The same as `module`.'),
    kwargs: inDocument(Type.Unsafe<JsonObject>({ type: 'object' }), 'Arguments of a custom scorer. Default: none.'),
  },
  { description: 'One way to score.' },
);

/** State keys that a result writes, by where a scripted output has their values. */
const PATCHED_KEYS = {
  eval_passed: ['passed'],
  eval_action: ['action'],
  eval_results: ['scorers'],
  eval_feedback: ['feedback'],
} as const;

export const Eval = Type.Object(
  {
    type: Type.Literal('eval'),
    scorers: Type.Array(Scorer, { minItems: 1, description: 'All of them must pass.' }),
    on_fail: Type.Enum(ON_FAIL, {
      description:
        'When a scorer does not pass: `halt` fails the node, `log_and_continue` goes on, `escalate` asks a person, `retry_with_feedback` runs the work before it again.',
    }),
    max_retries: Type.Integer({ minimum: 0, description: 'How often that work runs again, at most; then the node fails.' }),
    input_expr: Type.Optional(
      Type.String({ description: 'Expression or template for what is judged. Default: the output that reached the node.' }),
    ),
    retry_node: Type.Optional(
      Type.String({
        description: 'Where the work begins that runs again: a node on every path to this one. Default: the last one that works.',
      }),
    ),
    on_approved: Type.Optional(
      Type.String({ description: 'After `escalate`: node id, or `end`. Default: the edges of the node.' }),
    ),
    on_rejected: Type.Optional(
      Type.String({
        description: 'After `escalate`: node id, or `end`. Default: the edges of the node if they can tell, else it fails.',
      }),
    ),
    on_timeout: Type.Optional(
      Type.String({ description: 'After `escalate`: node id, or `end`. Default: `fallback_node`, else it fails.' }),
    ),
    review_timeout_secs: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description:
          'Seconds that a person has after `escalate`. Default: `timeouts.approval_timeout` of the workflow, else no limit.',
      }),
    ),
    ...OUTPUT_PROPERTIES,
  },
  { description: 'Scores the work before it. The runtime does it itself.' },
);
export type Eval = Static<typeof Eval>;

export const evaluation: KindDefinition<Eval> = defineKind<Eval>({
  type: 'eval',
  schema: Eval,
  normalise: (fields, { approvalTimeoutSecs }) => {
    const on_fail = fields.oneOf(['on_fail'], ON_FAIL) ?? 'halt';
    const max_retries = fields.integer(['max_retries'], 0) ?? 0;
    if (on_fail === 'retry_with_feedback' && max_retries === 0)
      fields.warning(
        'eval_never_retries',
        'on_fail',
        'is retry_with_feedback, but max_retries is 0',
        'set max_retries to 1 or more',
      );
    return {
      type: 'eval',
      scorers: readScorers(fields),
      on_fail,
      max_retries,
      ...optional('input_expr', fields.text('input_expr')),
      ...optional('retry_node', fields.name('retry_node')),
      ...optional('on_approved', fields.name('on_approved')),
      ...optional('on_rejected', fields.name('on_rejected')),
      ...optional('on_timeout', fields.name('on_timeout')),
      ...reviewTimeout(on_fail, fields.seconds(['review_timeout_secs']) ?? approvalTimeoutSecs),
      ...readOutputFields(fields),
    };
  },
  aliases: { input_expr: ['input'], review_timeout_secs: ['review_timeout'] },
  requiredKeys: ['scorers'],
  documentProperties: {
    scorers: Type.Array(ScorerDocument, { description: 'All of them must pass.' }),
    review_timeout_secs: duration(
      'Time that a person has after `escalate`. Default: `timeouts.approval_timeout` of the workflow, else no limit.',
    ),
  },
  distinctiveKeys: ['scorers', 'on_fail', 'max_retries', 'input_expr', 'retry_node'],
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
  targets: (kind) => namedTargets(kind, 'on_approved', 'on_rejected', 'on_timeout', 'retry_node', 'fallback_node'),
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
  syntax: {
    keys: {
      scorers: { holds: 'json' },
      on_fail: { holds: 'text' },
      max_retries: { holds: 'json' },
      input_expr: { holds: 'text', spellings: ['input_expr', 'input'] },
      retry_node: { holds: 'target' },
      on_approved: { holds: 'target' },
      on_rejected: { holds: 'target' },
      on_timeout: { holds: 'target' },
      review_timeout_secs: { holds: 'duration', spellings: ['review_timeout'] },
      ...OUTPUT_SYNTAX,
    },
  },
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

function reviewTimeout(onFail: Eval['on_fail'], secs: number | undefined): { review_timeout_secs?: number } {
  return onFail === 'escalate' ? optional('review_timeout_secs', secs) : {};
}

function readScorers(fields: Fields): Scorer[] {
  const listed = fields.list('scorers') ?? [];
  if (listed.length === 0) fields.error('missing_key', 'scorers', 'must list at least one scorer');
  return listed.flatMap((raw, i) => {
    const key = `scorers[${i}]`;
    if (!isObject(raw)) {
      fields.error('wrong_type', key, 'must be an object with a type');
      return [];
    }
    return readScorer(fields.inside(key, raw)) ?? [];
  });
}

function readScorer(fields: Fields): Scorer | null {
  const type = fields.oneOf(['type'], SCORER_TYPES);
  if (type === undefined) {
    if (fields.json('type') === undefined) fields.error('missing_key', 'type', `is required: one of ${SCORER_TYPES.join(', ')}`);
    return null;
  }
  switch (type) {
    case 'llm_judge': {
      const min_score = fields.number(['min_score'], 0) ?? DEFAULT_MIN_SCORE;
      if (min_score > MAX_SCORE)
        fields.error('wrong_type', 'min_score', `must be at most ${MAX_SCORE}: scores go from 1 to ${MAX_SCORE}`);
      return {
        type,
        model: fields.requiredName('model'),
        rubric: fields.requiredText('rubric'),
        min_score,
      };
    }
    case 'assertion':
      return { type, checks: readChecks(fields) };
    case 'latency':
      return { type, threshold_ms: fields.number(['threshold_ms', 'max_ms'], 0) ?? DEFAULT_LATENCY_MS };
    case 'cost':
      return { type, threshold_usd: fields.number(['threshold_usd', 'max_usd', 'max_cost_usd'], 0) ?? DEFAULT_COST_USD };
    case 'custom':
      return { type, module: readModule(fields), kwargs: fields.object('kwargs') ?? {} };
    default: {
      const unhandled: never = type;
      throw new TypeError(`unhandled scorer ${String(unhandled)}`);
    }
  }
}

/** SDKs write an empty `module` beside `scorer_ref`. */
function readModule(fields: Fields): string {
  return fields.name('module') ?? fields.name('scorer_ref') ?? fields.requiredName('module');
}

/** A list of checks in `checks`, or one in `check`. */
function readChecks(fields: Fields): string[] {
  const given = fields.json('checks', 'check');
  const listed: readonly Json[] = Array.isArray(given) ? given : given === undefined ? [] : [given];
  const checks = listed.flatMap((check) => (typeof check === 'string' && check.trim() !== '' ? [check] : []));
  if (listed.length === 0) fields.error('missing_key', 'checks', 'must list at least one expression');
  else if (checks.length < listed.length) fields.error('wrong_type', 'checks', 'must be texts: one expression each');
  return checks;
}
