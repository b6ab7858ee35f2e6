import { Button } from '../../../components/button.tsx';
import { useSession } from '../../../session/session.ts';
import { useForkFrom } from './use-fork-from.ts';

/** Opens the dialog that forks the execution at a sequence; nothing for those who may not. */
export function ForkButton({ at }: { readonly at: number }) {
  const { can } = useSession();
  const { openFork } = useForkFrom();
  return can('write') ? (
    <Button kind="quiet" onClick={() => openFork(at)}>
      Fork here
    </Button>
  ) : null;
}
