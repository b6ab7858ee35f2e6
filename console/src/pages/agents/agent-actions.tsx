import type { Agent } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';

type Move = 'activate' | 'pause' | 'deactivate' | 'archive';

/** The changes that the status of an agent allows. */
const MOVES: Readonly<Record<Agent['status'], readonly Move[]>> = {
  registered: ['activate'],
  active: ['pause', 'deactivate'],
  paused: ['activate', 'deactivate'],
  deactivated: ['archive'],
  archived: [],
};

export function AgentActions({ agent }: { readonly agent: Agent }) {
  const { client } = useSession();
  const move = useAction(
    (to: Move) => client.agents[to](agent.uuid),
    ({ agent_id: id, status }) => `${id} is ${status}.`,
  );
  const moves = MOVES[agent.status];
  return (
    <>
      {moves.includes('activate') && (
        <Button kind="primary" disabled={move.isPending} onClick={() => move.mutate('activate')}>
          Activate
        </Button>
      )}
      {moves.includes('pause') && (
        <Button disabled={move.isPending} onClick={() => move.mutate('pause')}>
          Pause
        </Button>
      )}
      {moves.includes('deactivate') && (
        <ConfirmButton action="Deactivate" title="Deactivate the agent?" onConfirm={() => move.mutate('deactivate')}>
          <p>It is out of service until its card is registered again.</p>
        </ConfirmButton>
      )}
      {moves.includes('archive') && (
        <ConfirmButton action="Archive" title="Archive the agent?" onConfirm={() => move.mutate('archive')}>
          <p>It stays on record. Registering its card again brings it back.</p>
        </ConfirmButton>
      )}
    </>
  );
}
