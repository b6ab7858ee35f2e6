import { Field } from '../../../components/field.tsx';
import { FormDialog, textOf } from '../../../components/form-dialog.tsx';
import { useSession } from '../../../session/session.ts';
import { useAction } from '../../../shell/use-action.ts';
import { useExecutionView } from '../execution-view.ts';
import styles from './actions.module.css';

interface Props {
  readonly onClose: () => void;
}

export function PauseDialog({ onClose }: Props) {
  const { id } = useExecutionView();
  const { client } = useSession();
  const pause = useAction(
    (reason: string | undefined) => client.pause(id, reason),
    () => 'Paused.',
    { errors: 'inline' },
  );
  return (
    <FormDialog
      title="Pause the execution"
      action="Pause"
      isBusy={pause.isPending}
      error={pause.error}
      onSubmit={(values) => pause.mutate(textOf(values, 'reason'), { onSuccess: onClose })}
      onClose={onClose}
    >
      <p className={styles.hint}>Running attempts continue; nothing else begins until it is resumed.</p>
      <Reason />
    </FormDialog>
  );
}

export function CancelDialog({ onClose }: Props) {
  const { id } = useExecutionView();
  const { client } = useSession();
  const cancel = useAction(
    (reason: string | undefined) => client.cancel(id, reason),
    () => 'Cancelled.',
    { errors: 'inline' },
  );
  return (
    <FormDialog
      title="Cancel the execution?"
      action="Cancel the execution"
      dismiss="Close"
      isBusy={cancel.isPending}
      error={cancel.error}
      onSubmit={(values) => cancel.mutate(textOf(values, 'reason'), { onSuccess: onClose })}
      onClose={onClose}
    >
      <p className={styles.hint}>
        Its work and its children end as well. This cannot be undone; a fork can continue from an earlier point.
      </p>
      <Reason />
    </FormDialog>
  );
}

function Reason() {
  return (
    <Field label="Reason" hint="Optional; kept with the execution.">
      {(control) => <input {...control} name="reason" maxLength={1024} data-focus />}
    </Field>
  );
}
