import { Button } from '../../../components/button.tsx';
import { Name } from '../../../components/name.tsx';
import { useExecutionView } from '../execution-view.ts';
import { useLogVersion } from '../log/use-log-version.ts';
import styles from './execution-header.module.css';

/** Why the execution failed or was cancelled, with a way to the node whose error it is. */
export function ExecutionError() {
  const { execution, log, selectNode } = useExecutionView();
  useLogVersion(log, 'status');
  const { error, status, held_reason: reason } = execution;
  if (status === 'paused' && reason !== undefined)
    return (
      <p className={styles.reason}>
        Paused: <Name text={reason} maxChars={1_000} />
      </p>
    );
  if (error === undefined) return null;
  const node = status === 'failed' ? failedNode(log.events) : null;
  return (
    <div className={status === 'failed' ? styles.error : styles.reason} role={status === 'failed' ? 'alert' : undefined}>
      <Name text={error} maxChars={2_000} />
      {node !== null && (
        <Button kind="quiet" onClick={() => selectNode(node)}>
          Show the error
        </Button>
      )}
    </div>
  );
}

function failedNode(events: readonly { readonly type: string; readonly node_id: string | null }[]): string | null {
  return events.findLast(({ type }) => type === 'node_failed')?.node_id ?? null;
}
