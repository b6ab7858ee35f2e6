import { type TSchema, Type } from 'typebox';
import { type AgentTask, AgentTask as AgentTaskSchema, agentTask } from './agent-task.ts';
import type { KindDefinition } from './kind.ts';
import { type ModelAgent, ModelAgent as ModelAgentSchema, modelAgent } from './model-agent.ts';

/** A model that calls tools; without a model, a task for a remote agent. */
export type Agent = ModelAgent | AgentTask;

const MODEL_KEYS = ['model_ref', 'prompt', 'system_prompt', 'tools'];

export function hasModel(kind: Agent): kind is ModelAgent {
  return 'model_ref' in kind;
}

/** Says of each node what the definition of its form says. */
export const agent: KindDefinition<Agent> = {
  ...eitherOf(modelAgent as unknown as KindDefinition<Agent>, agentTask as unknown as KindDefinition<Agent>),
  type: 'agent',
  schema: Type.Object(
    {
      ...optionalProperties({ ...AgentTaskSchema.properties, ...ModelAgentSchema.properties }),
      type: Type.Literal('agent'),
    },
    {
      description:
        'A language model that calls tools until it has an answer: each turn is a visit to this node; each call is one to a node of its own, `<node id>.<tool>`. Without a model: a task for a registered agent, over A2A.',
    },
  ),
  normalise(fields, defaults) {
    // Without a reference, what only a model understands says that its name is missing.
    const isModel = fields.json('agent_ref') === undefined && MODEL_KEYS.some((key) => fields.json(key) !== undefined);
    const definition = isModel || fields.text('model_ref') !== undefined ? modelAgent : agentTask;
    return definition.normalise(fields, defaults);
  },
  aliases: { ...modelAgent.aliases, ...agentTask.aliases },
  requiredKeys: [],
  documentProperties: { ...agentTask.documentProperties, ...modelAgent.documentProperties },
  distinctiveKeys: [...modelAgent.distinctiveKeys, ...agentTask.distinctiveKeys],
  syntax: {
    keys: { ...agentTask.syntax.keys, ...modelAgent.syntax.keys },
    complete(kind, facts) {
      if (kind.agent_ref === undefined && MODEL_KEYS.some((key) => kind[key] !== undefined))
        modelAgent.syntax.complete?.(kind, facts);
    },
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

function optionalProperties(properties: Readonly<Record<string, TSchema>>): Record<string, TSchema> {
  return Object.fromEntries(Object.entries(properties).map(([key, schema]) => [key, Type.Optional(schema)]));
}
