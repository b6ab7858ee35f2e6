import { CancelExecution } from '../../../../../src/api/operations/executions.ts';
import { PauseExecution } from '../../../../../src/api/operations/interventions.ts';
import { SchemaDialog } from '../../../components/resource/schema-dialog.tsx';
import { useSession } from '../../../session/session.ts';
import { useExecutionView } from '../execution-view.ts';

interface Props {
  readonly onClose: () => void;
}

const REASON = () => ({ reason: 'Reason' });

export function PauseDialog({ onClose }: Props) {
  const { id } = useExecutionView();
  const { client } = useSession();
  return (
    <SchemaDialog
      title="Pause the execution"
      action="Pause"
      schema={PauseExecution}
      fields={REASON}
      run={({ reason }) => client.pause(id, reason ?? undefined)}
      done={() => 'Paused.'}
      onDone={onClose}
      onClose={onClose}
    >
      <p className="muted">Running attempts continue; nothing else begins until it is resumed.</p>
    </SchemaDialog>
  );
}

export function CancelDialog({ onClose }: Props) {
  const { id } = useExecutionView();
  const { client } = useSession();
  return (
    <SchemaDialog
      title="Cancel the execution?"
      action="Cancel the execution"
      dismiss="Close"
      schema={CancelExecution}
      fields={REASON}
      run={({ reason }) => client.cancel(id, reason ?? undefined)}
      done={() => 'Cancelled.'}
      onDone={onClose}
      onClose={onClose}
    >
      <p className="muted">
        Its work and its children end as well. This cannot be undone; a fork can continue from an earlier point.
      </p>
    </SchemaDialog>
  );
}
