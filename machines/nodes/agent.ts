import { Type } from '../type.ts';
import { AGENT_TASK, type AgentTask, agentTask } from './agent-task.ts';
import { aliases, objectSchema, optionalFields } from './field-tables.ts';
import { declareKind, type KindDefinition } from './kind.ts';
import { MODEL_AGENT, type ModelAgent, modelAgent } from './model-agent.ts';

/** A model that calls tools; without a model, a task for a remote agent. */
export type Agent = ModelAgent | AgentTask;

const MODEL_KEYS = ['model_ref', 'prompt', 'system_prompt', 'tools'];

export function hasModel(kind: Agent): kind is ModelAgent {
  return 'model_ref' in kind;
}

const AGENT = declareKind({
  type: 'agent',
  description:
    'A language model that calls tools until it has an answer: each turn is a visit to this node; each call is one to a node of its own, `<node id>.<tool>`. Without a model: a task for a registered agent, over A2A.',
  fields: { ...optionalFields(AGENT_TASK.fields), ...optionalFields(MODEL_AGENT.fields) },
});

/** Says of each node what the definition of its form says. */
export const agent: KindDefinition<Agent, typeof AGENT> = {
  ...eitherOf(modelAgent as unknown as KindDefinition<Agent>, agentTask as unknown as KindDefinition<Agent>),
  type: 'agent',
  declaration: AGENT,
  schema: objectSchema(AGENT.fields, AGENT.description, { type: Type.Literal('agent') }),
  normalise(fields, defaults) {
    const spelled = fields.withAliases(aliases(AGENT.fields));
    // Without a reference, what only a model understands says that its name is missing.
    const isModel = spelled.json('agent_ref') === undefined && MODEL_KEYS.some((key) => spelled.json(key) !== undefined);
    const definition = isModel || spelled.text('model_ref') !== undefined ? modelAgent : agentTask;
    return definition.normalise(fields, defaults);
  },
  complete(kind, facts) {
    if (kind.agent_ref === undefined && MODEL_KEYS.some((key) => kind[key] !== undefined)) modelAgent.complete(kind, facts);
  },
};

/** The members of both definitions: functions ask the one that the node is of. */
function eitherOf(withModel: KindDefinition<Agent>, without: KindDefinition<Agent>): KindDefinition<Agent> {
  const members = Object.entries(withModel).map(([key, member]: [string, unknown]) => {
    if (typeof member !== 'function') return [key, member];
    const asked = (kind: Agent, ...rest: unknown[]): unknown => {
      const definition = (hasModel(kind) ? withModel : without) as unknown as Record<string, (...given: unknown[]) => unknown>;
      return definition[key]?.(kind, ...rest);
    };
    return [key, asked];
  });
  return Object.fromEntries(members) as KindDefinition<Agent>;
}
