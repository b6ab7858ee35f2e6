import { isObject } from '../json.ts';
import { integer, mapping, name, names, number, object, text } from './fields.ts';
import { declareKind, defineKind, type KindOf, mappingUnlessEmpty } from './kind.ts';
import { declaredNameOf, namesOfModel } from './model-names.ts';
import { DECLARED, OUTPUT } from './shared-fields.ts';

/** What agents are scored by; each score is from 0 to 1. */
export const DIMENSIONS = ['capability_fit', 'cost_fit', 'latency_fit', 'trust_compatibility', 'historical_performance'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const DEFAULT_THRESHOLD = 0.1;
const DEFAULT_MAX_CANDIDATES = 3;

const weight = number('Default: 1.', { minimum: 0, default: 1 });

const COORDINATOR = declareKind({
  type: 'coordinator',
  description:
    'Selects one of the registered agents for a task. The output is `{selected, agent_id, name, method, confidence, reasoning}`; `output_key` receives the URI alone.',
  fields: {
    task: text('What the agent is to do; may hold templates.', { required: true }),
    required_skills: names('Ids or names of skills; an agent must have all of them.', {
      spellings: ['required_skills', 'skills'],
      distinctive: true,
    }),
    preferred_skills: names('Skills that count for an agent. Default: none.', { distinctive: true }),
    trust_domain: name('Trust domain that the agent must be of. Default: any.', { distinctive: true }),
    budget: object('What the agent may cost and how long it may take. Default: not limited.', {
      max_cost_usd: number('Agents that usually cost more are left out, in US dollars.', { minimum: 0 }),
      max_latency_ms: number('Agents that usually take longer are left out, in milliseconds.', { minimum: 0 }),
    }),
    tiebreaker: object(
      'Model that decides when the best scores are close. Default: the best score decides.',
      {
        model: name('Model that decides when the best scores are close.', { required: true }),
        threshold: number(`Difference of the two best scores up to which it decides. Default: ${DEFAULT_THRESHOLD}.`, {
          minimum: 0,
          default: DEFAULT_THRESHOLD,
        }),
        max_candidates: integer(`Agents that it chooses from, at most. Default: ${DEFAULT_MAX_CANDIDATES}.`, {
          minimum: 2,
          default: DEFAULT_MAX_CANDIDATES,
        }),
        declared: DECLARED,
      },
      { distinctive: true },
    ),
    strategy: name('Strategy of a coordinator server. Default: `default`, which the runtime has itself.', { default: 'default' }),
    weights: object(
      'How much each score counts. Default: 1 for those that are missing.',
      Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, weight])) as Record<Dimension, typeof weight>,
      {
        default: Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, 1])) as Record<Dimension, number>,
        distinctive: true,
      },
    ),
    input_mapping: mapping('What else the decision may depend on: values and `{{ … }}` templates. Default: nothing.', {
      spellings: ['input', 'arguments'],
    }),
    ...OUTPUT,
  },
});
export type Coordinator = KindOf<typeof COORDINATOR>;
export type CoordinatorWeights = Coordinator['weights'];

export const coordinator = defineKind(COORDINATOR, {
  check({ weights }, fields) {
    if (Object.values(weights).every((value) => value === 0)) fields.error('wrong_type', 'weights', 'must not all be 0');
  },
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
  testResult: ({ output_key }, { output = {} }) => {
    const selected = isObject(output) ? output.selected : output;
    return { output, ...(output_key === undefined || selected === undefined ? {} : { patch: { [output_key]: selected } }) };
  },
  summary: ({ required_skills }) =>
    required_skills.length === 0 ? 'selects an agent' : `agent for ${required_skills.join(', ')}`,
  letter: 'o',
});
