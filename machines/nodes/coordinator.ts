import { type Static, Type } from 'typebox';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { declaredNameOf, namesOfModel } from './model-names.ts';
import { mapping, mappingUnlessEmpty, OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

/** What agents are scored by; each score is from 0 to 1. */
export const DIMENSIONS = ['capability_fit', 'cost_fit', 'latency_fit', 'trust_compatibility', 'historical_performance'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const DEFAULT_THRESHOLD = 0.1;
const DEFAULT_MAX_CANDIDATES = 3;

const weight = Type.Number({ minimum: 0, description: 'Default: 1.' });
const Weights = Type.Object(Object.fromEntries(DIMENSIONS.map((name) => [name, weight])) as Record<Dimension, typeof weight>, {
  description: 'How much each score counts. Default: all the same.',
});

const Budget = Type.Object(
  {
    max_cost_usd: Type.Optional(
      Type.Number({ minimum: 0, description: 'Agents that usually cost more are left out, in US dollars.' }),
    ),
    max_latency_ms: Type.Optional(
      Type.Number({ minimum: 0, description: 'Agents that usually take longer are left out, in milliseconds.' }),
    ),
  },
  { description: 'What the agent may cost and how long it may take. Default: not limited.' },
);

const Tiebreaker = Type.Object(
  {
    model: Type.String({ description: 'Model that decides when the best scores are close.' }),
    threshold: Type.Number({
      minimum: 0,
      description: `Difference of the two best scores up to which it decides. Default: ${DEFAULT_THRESHOLD}.`,
    }),
    max_candidates: Type.Integer({
      minimum: 2,
      description: `Agents that it chooses from, at most. Default: ${DEFAULT_MAX_CANDIDATES}.`,
    }),
    declared: Type.Optional(
      Type.Object(
        {
          provider: Type.String({ description: 'Provider.' }),
          model: Type.String({ description: 'Its name there.' }),
        },
        { description: 'The model that `models` names. Set by the runtime.' },
      ),
    ),
  },
  { description: 'Model that decides when the best scores are close. Default: the best score decides.' },
);

export const Coordinator = Type.Object(
  {
    type: Type.Literal('coordinator'),
    task: Type.String({ description: 'What the agent is to do; may hold templates.' }),
    required_skills: Type.Array(Type.String(), { description: 'Ids or names of skills; an agent must have all of them.' }),
    preferred_skills: Type.Array(Type.String(), { description: 'Skills that count for an agent. Default: none.' }),
    trust_domain: Type.Optional(Type.String({ description: 'Trust domain that the agent must be of. Default: any.' })),
    budget: Type.Optional(Budget),
    tiebreaker: Type.Optional(Tiebreaker),
    strategy: Type.String({ description: 'Strategy of a coordinator server. Default: `default`, which the runtime has itself.' }),
    weights: Weights,
    input_mapping: mapping('What else the decision may depend on: values and `{{ … }}` templates. Default: nothing.'),
    ...OUTPUT_PROPERTIES,
  },
  {
    description:
      'Selects one of the registered agents for a task. The output is `{selected, agent_id, name, method, confidence, reasoning}`; `output_key` receives the URI alone.',
  },
);
export type Coordinator = Static<typeof Coordinator>;
export type CoordinatorWeights = Coordinator['weights'];

export const coordinator: KindDefinition<Coordinator> = defineKind<Coordinator>({
  type: 'coordinator',
  schema: Coordinator,
  normalise: (fields) => ({
    type: 'coordinator',
    task: fields.requiredText('task'),
    required_skills: fields.names('required_skills'),
    preferred_skills: fields.names('preferred_skills'),
    ...optional('trust_domain', fields.name('trust_domain')),
    ...optional('budget', readBudget(fields)),
    ...optional('tiebreaker', readTiebreaker(fields)),
    strategy: fields.name('strategy') ?? 'default',
    weights: readWeights(fields),
    input_mapping: fields.mapping('input_mapping'),
    ...readOutputFields(fields),
  }),
  aliases: { required_skills: ['skills'], input_mapping: ['input'] },
  requiredKeys: ['task'],
  documentProperties: {
    weights: Type.Object(Object.fromEntries(DIMENSIONS.map((name) => [name, Type.Optional(weight)])), {
      description: 'How much each score counts. Default: 1 for those that are missing.',
    }),
    tiebreaker: Type.Object(
      {
        model: Type.String({ description: 'Model that decides when the best scores are close.' }),
        threshold: Type.Optional(Type.Number({ minimum: 0, description: `Default: ${DEFAULT_THRESHOLD}.` })),
        max_candidates: Type.Optional(Type.Integer({ minimum: 2, description: `Default: ${DEFAULT_MAX_CANDIDATES}.` })),
      },
      { description: 'Model that decides when the best scores are close. Default: the best score decides.' },
    ),
  },
  distinctiveKeys: ['required_skills', 'preferred_skills', 'trust_domain', 'tiebreaker', 'weights'],
  queue: () => 'general',
  policyNames: () => ['coordinator'],
  models: ({ tiebreaker }) =>
    tiebreaker === undefined ? [] : namesOfModel(declaredNameOf(tiebreaker.model, tiebreaker.declared)),
  catalogModels: ({ tiebreaker }) => (tiebreaker === undefined ? [] : [tiebreaker.model]),
  withModel: ({ tiebreaker, ...kind }, _name, { provider, model }) => ({
    ...kind,
    ...(tiebreaker === undefined ? {} : { tiebreaker: { ...tiebreaker, declared: { provider, model } } }),
  }),
  mapping: ({ task, input_mapping }) => {
    const context = mappingUnlessEmpty(input_mapping);
    return { task, ...(context === null ? {} : { input_mapping: context }) };
  },
  mappingKey: null,
  payload: ({ required_skills, strategy }, input) => ({ required_skills, strategy, input }),
  syntax: {
    keys: {
      task: { holds: 'text' },
      required_skills: { holds: 'json', spellings: ['required_skills', 'skills'] },
      preferred_skills: { holds: 'json' },
      trust_domain: { holds: 'text' },
      budget: { holds: 'json' },
      tiebreaker: { holds: 'json' },
      strategy: { holds: 'text' },
      weights: { holds: 'json' },
      input_mapping: { holds: 'json', spellings: ['input'] },
      ...OUTPUT_SYNTAX,
    },
  },
  testResult: ({ output_key }, { output = {} }) => {
    const selected = isObject(output) ? output.selected : output;
    return { output, ...(output_key === undefined || selected === undefined ? {} : { patch: { [output_key]: selected } }) };
  },
  summary: ({ required_skills }) =>
    required_skills.length === 0 ? 'selects an agent' : `agent for ${required_skills.join(', ')}`,
  letter: 'o',
});

function readBudget(fields: Fields): Coordinator['budget'] {
  const given = fields.object('budget');
  if (given === undefined) return undefined;
  const read = fields.inside('budget', given);
  return {
    ...optional('max_cost_usd', read.number(['max_cost_usd'], 0)),
    ...optional('max_latency_ms', read.number(['max_latency_ms'], 0)),
  };
}

function readTiebreaker(fields: Fields): Coordinator['tiebreaker'] {
  const given = fields.object('tiebreaker');
  if (given === undefined) return undefined;
  const read = fields.inside('tiebreaker', given);
  return {
    model: read.requiredName('model'),
    threshold: read.number(['threshold'], 0) ?? DEFAULT_THRESHOLD,
    max_candidates: read.integer(['max_candidates'], 2) ?? DEFAULT_MAX_CANDIDATES,
    ...declaredIn(given),
  };
}

/** A normal form is read again with what the runtime has added. */
function declaredIn({ declared }: JsonObject): { readonly declared?: { readonly provider: string; readonly model: string } } {
  const { provider, model } = isObject(declared) ? declared : {};
  return typeof provider === 'string' && typeof model === 'string' ? { declared: { provider, model } } : {};
}

function readWeights(fields: Fields): CoordinatorWeights {
  const read = fields.inside('weights', fields.object('weights') ?? {});
  const weights = Object.fromEntries(DIMENSIONS.map((name) => [name, read.number([name], 0) ?? 1])) as CoordinatorWeights;
  const isZero = Object.values(weights).every((value: Json) => value === 0);
  if (isZero) fields.error('wrong_type', 'weights', 'must not all be 0');
  return weights;
}
