import { type Static, Type } from 'typebox';
import { defineKind, type KindDefinition } from './kind.ts';
import {
  questionEdgeHint,
  REMOTE_TASK_DOCUMENT,
  REMOTE_TASK_PROPERTIES,
  REMOTE_TASK_SYNTAX,
  readRemoteTask,
  remoteTaskMapping,
  remoteTaskTargets,
} from './remote-task.ts';
import { INPUT_MAPPING } from './shared-fields.ts';

export const AgentTask = Type.Object(
  {
    type: Type.Literal('agent'),
    agent_ref: Type.String({
      description: 'The agent: the id of a registered agent, an entry of `remote_agents`, or a URL; may hold templates.',
    }),
    skill: Type.String({ description: 'Skill that the agent is asked for. Empty: the agent decides.' }),
    input_mapping: INPUT_MAPPING,
    ...REMOTE_TASK_PROPERTIES,
  },
  { description: 'Gives a task to a registered agent over A2A and waits for its result. The runtime does it itself.' },
);
export type AgentTask = Static<typeof AgentTask>;

export const agentTask: KindDefinition<AgentTask> = defineKind<AgentTask>({
  type: 'agent',
  schema: AgentTask,
  normalise: (fields) => ({
    type: 'agent',
    agent_ref: fields.name('agent_ref') ?? fields.location.node_id ?? '',
    skill: fields.name('skill') ?? '',
    ...readRemoteTask(fields),
  }),
  aliases: { agent_ref: ['agent', 'agent_url', 'agent_uri'], input_mapping: ['input', 'arguments'] },
  documentProperties: {
    ...REMOTE_TASK_DOCUMENT,
    agent_ref: Type.String({
      description:
        'The agent: the id of a registered agent, an entry of `remote_agents`, or a URL; may hold templates. Default: the node id.',
    }),
  },
  distinctiveKeys: ['agent_ref'],
  queue: () => 'general',
  policyNames: ({ agent_ref, skill }) => (skill === '' ? [agent_ref] : [agent_ref, `${agent_ref}.${skill}`, skill]),
  remoteAgent: (kind) => kind.agent_ref,
  mapping: (kind) => remoteTaskMapping({ agent_ref: kind.agent_ref }, kind),
  mappingKey: null,
  payload: ({ agent_ref, skill, stream }, input) => ({ agent_ref, skill, stream, input }),
  targets: remoteTaskTargets,
  outcomeEdgeHint: questionEdgeHint,
  syntax: {
    keys: {
      agent_ref: { holds: 'text', spellings: ['agent_ref', 'agent', 'agent_url', 'agent_uri'] },
      skill: { holds: 'text' },
      ...REMOTE_TASK_SYNTAX,
    },
  },
});
