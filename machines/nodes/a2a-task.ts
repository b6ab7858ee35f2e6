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

export const A2aTask = Type.Object(
  {
    type: Type.Literal('a2a_task'),
    remote_agent: Type.String({
      description: 'The agent: an entry of `remote_agents`, the id of a registered agent, or a URL; may hold templates.',
    }),
    skill: Type.String({ description: 'Skill that the agent is asked for. Empty: the agent decides.' }),
    input_mapping: INPUT_MAPPING,
    ...REMOTE_TASK_PROPERTIES,
  },
  { description: 'Gives a task to a remote agent over A2A and waits for its result. The runtime does it itself.' },
);
export type A2aTask = Static<typeof A2aTask>;

export const a2aTask: KindDefinition<A2aTask> = defineKind<A2aTask>({
  type: 'a2a_task',
  schema: A2aTask,
  normalise: (fields) => ({
    type: 'a2a_task',
    remote_agent: fields.requiredName('remote_agent'),
    skill: fields.name('skill') ?? '',
    ...readRemoteTask(fields),
  }),
  aliases: { remote_agent: ['agent_url', 'agent_uri', 'agent'], input_mapping: ['input', 'arguments'] },
  requiredKeys: ['remote_agent'],
  documentProperties: REMOTE_TASK_DOCUMENT,
  distinctiveKeys: ['remote_agent', 'skill', 'on_input_required', 'stream'],
  queue: () => 'tool',
  policyNames: ({ remote_agent, skill }) => (skill === '' ? [remote_agent] : [`${remote_agent}.${skill}`, skill, remote_agent]),
  remoteAgent: (kind) => kind.remote_agent,
  mapping: (kind) => remoteTaskMapping({ remote_agent: kind.remote_agent }, kind),
  mappingKey: null,
  payload: ({ remote_agent, skill, stream }, input) => ({ remote_agent, skill, stream, input }),
  targets: remoteTaskTargets,
  outcomeEdgeHint: questionEdgeHint,
  syntax: {
    keys: {
      remote_agent: { holds: 'text', spellings: ['remote_agent', 'agent_url', 'agent_uri', 'agent'] },
      skill: { holds: 'text' },
      ...REMOTE_TASK_SYNTAX,
    },
  },
  summary: ({ remote_agent, skill }) => (skill === '' ? remote_agent : `${remote_agent}: ${skill}`),
  letter: 'r',
});
