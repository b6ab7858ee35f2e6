import { Name } from '../../../components/name.tsx';
import { ActionButton } from '../../../components/resource/action-button.tsx';
import { useSession } from '../../../session/session.ts';
import { useExecutionView } from '../execution-view.ts';

/** Runs the failed nodes again; what has completed is kept. */
export function RetryButton() {
  const { id } = useExecutionView();
  const { client } = useSession();
  return (
    <ActionButton
      label="Retry"
      kind="primary"
      run={() => client.retry(id)}
      done={({ nodes }) => (
        <>
          Runs again: <Name text={nodes.join(', ')} maxChars={120} />.
        </>
      )}
    />
  );
}
