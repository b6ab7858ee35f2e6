import type { Agent } from '../../../../src/client/index.ts';
import { ActionButton } from '../../components/resource/action-button.tsx';
import { useSession } from '../../session/session.ts';

type Move = 'activate' | 'pause' | 'deactivate' | 'archive';

/** The changes that the status of an agent allows. */
const MOVES: Readonly<Record<Agent['status'], readonly Move[]>> = {
  registered: ['activate'],
  active: ['pause', 'deactivate'],
  paused: ['activate', 'deactivate'],
  deactivated: ['archive'],
  archived: [],
};

const BUTTONS = {
  activate: { label: 'Activate', kind: 'primary' },
  pause: { label: 'Pause' },
  deactivate: {
    label: 'Deactivate',
    question: 'Deactivate the agent?',
    children: <p>It is out of service until its card is registered again.</p>,
  },
  archive: {
    label: 'Archive',
    question: 'Archive the agent?',
    children: <p>It stays on record. Registering its card again brings it back.</p>,
  },
} as const;

export function AgentActions({ agent: { uuid, status } }: { readonly agent: Agent }) {
  const { client } = useSession();
  return MOVES[status].map((move) => (
    <ActionButton
      key={move}
      {...BUTTONS[move]}
      run={() => client.agents[move](uuid)}
      done={(agent) => `${agent.agent_id} is ${agent.status}.`}
    />
  ));
}
