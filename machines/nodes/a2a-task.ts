import { name } from './fields.ts';
import { declareKind, defineKind, type KindOf } from './kind.ts';
import { questionEdgeHint, REMOTE_TASK, remoteTaskMapping } from './remote-task.ts';

const A2A_TASK = declareKind({
  type: 'a2a_task',
  description: 'Gives a task to a remote agent over A2A and waits for its result. The runtime does it itself.',
  fields: {
    remote_agent: name('The agent: an entry of `remote_agents`, the id of a registered agent, or a URL; may hold templates.', {
      required: true,
      spellings: ['remote_agent', 'agent_url', 'agent_uri', 'agent'],
      distinctive: true,
    }),
    skill: name('Skill that the agent is asked for. Empty: the agent decides.', { default: '', distinctive: true }),
    ...REMOTE_TASK,
  },
});
export type A2aTask = KindOf<typeof A2A_TASK>;

export const a2aTask = defineKind(A2A_TASK, {
  queue: () => 'tool',
  policyNames: ({ remote_agent, skill }) => (skill === '' ? [remote_agent] : [`${remote_agent}.${skill}`, skill, remote_agent]),
  remoteAgent: (kind) => kind.remote_agent,
  mapping: (kind) => remoteTaskMapping({ remote_agent: kind.remote_agent }, kind),
  mappingKey: null,
  payload: ({ remote_agent, skill, stream }, input) => ({ remote_agent, skill, stream, input }),
  outcomeEdgeHint: questionEdgeHint,
  summary: ({ remote_agent, skill }) => (skill === '' ? remote_agent : `${remote_agent}: ${skill}`),
  letter: 'r',
});
