import { Button } from '../../../components/button.tsx';
import { Name } from '../../../components/name.tsx';
import { useSession } from '../../../session/session.ts';
import { useAction } from '../../../shell/use-action.ts';
import { useExecutionView } from '../execution-view.ts';

/** Runs the failed nodes again; what has completed is kept. */
export function RetryButton() {
  const { id } = useExecutionView();
  const { client } = useSession();
  const retry = useAction(
    () => client.retry(id),
    ({ nodes }) => (
      <>
        Runs again: <Name text={nodes.join(', ')} maxChars={120} />.
      </>
    ),
  );
  return (
    <Button kind="primary" disabled={retry.isPending} onClick={() => retry.mutate(undefined)}>
      Retry
    </Button>
  );
}
