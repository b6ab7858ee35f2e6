import { name } from './fields.ts';
import { declareKind, defineKind, type KindOf } from './kind.ts';
import { questionEdgeHint, REMOTE_TASK, remoteTaskMapping } from './remote-task.ts';

export const AGENT_TASK = declareKind({
  type: 'agent',
  description: 'Gives a task to a registered agent over A2A and waits for its result. The runtime does it itself.',
  fields: {
    agent_ref: name(
      'The agent: the id of a registered agent, an entry of `remote_agents`, or a URL; may hold templates. Default: the node id.',
      {
        default: ({ location }) => location.node_id ?? '',
        spellings: ['agent_ref', 'agent', 'agent_url', 'agent_uri'],
        distinctive: true,
      },
    ),
    skill: name('Skill that the agent is asked for. Empty: the agent decides.', { default: '' }),
    ...REMOTE_TASK,
  },
});
export type AgentTask = KindOf<typeof AGENT_TASK>;

export const agentTask = defineKind(AGENT_TASK, {
  queue: () => 'general',
  policyNames: ({ agent_ref, skill }) => (skill === '' ? [agent_ref] : [agent_ref, `${agent_ref}.${skill}`, skill]),
  remoteAgent: (kind) => kind.agent_ref,
  mapping: (kind) => remoteTaskMapping({ agent_ref: kind.agent_ref }, kind),
  mappingKey: null,
  payload: ({ agent_ref, skill, stream }, input) => ({ agent_ref, skill, stream, input }),
  outcomeEdgeHint: questionEdgeHint,
});
