import { useState } from 'react';
import type { ExecutionConditions, Job } from '../../../../../src/client/index.ts';
import { CheckField, Field } from '../../../components/field.tsx';
import { FormDialog, textOf } from '../../../components/form-dialog.tsx';
import { useSession } from '../../../session/session.ts';
import { useAction } from '../../../shell/use-action.ts';
import styles from '../executions.module.css';

export type BulkAction = Job['action'];

/** The executions that a job is to act on, and how many they are; null = they have not been counted. */
export type BulkTarget =
  | { readonly kind: 'chosen'; readonly ids: readonly string[] }
  | { readonly kind: 'matching'; readonly conditions: ExecutionConditions; readonly count: number | null };

/** From so many on, the dialog asks for a second confirmation. */
const MANY = 1_000;

const EFFECTS: Readonly<Record<BulkAction, string>> = {
  retry: 'Failed executions continue from the node that failed. Others are skipped.',
  cancel: 'Executions that have not ended are stopped, with their children. This cannot be undone.',
  pause: 'Running executions start no further nodes until they are resumed.',
  resume: 'Paused executions continue.',
};

interface Props {
  readonly action: BulkAction;
  readonly target: BulkTarget;
  readonly onStarted: (job: Job) => void;
  readonly onClose: () => void;
}

/** Asks before a bulk job starts. */
export function BulkDialog({ action, target, onStarted, onClose }: Props) {
  const { client } = useSession();
  const [isConfirmed, setConfirmed] = useState(false);
  const count = target.kind === 'chosen' ? target.ids.length : target.count;
  const start = useAction(
    async (reason: string | undefined) => {
      const filter = target.kind === 'chosen' ? { execution_ids: [...target.ids] } : target.conditions;
      const isEverything = Object.keys(filter).length === 0;
      const job = await client.jobs.start({
        action,
        filter,
        ...(isEverything ? { all: true } : {}),
        ...(reason === undefined ? {} : { reason }),
      });
      onStarted(job);
    },
    () => 'The job has started.',
    { errors: 'inline' },
  );
  const what = count === null ? 'all that match' : `${count.toLocaleString()} ${count === 1 ? 'execution' : 'executions'}`;
  const needsConfirmation = action === 'cancel' || count === null || count >= MANY;
  return (
    <FormDialog
      title={`${action[0]?.toUpperCase()}${action.slice(1)} ${what}`}
      action={`${action[0]?.toUpperCase()}${action.slice(1)} ${what}`}
      dismiss="Close"
      isBusy={start.isPending}
      error={start.error}
      isValid={!needsConfirmation || isConfirmed}
      onSubmit={(values) => start.mutate(textOf(values, 'reason'))}
      onClose={onClose}
    >
      <p className={styles.explanation}>
        {EFFECTS[action]}
        {target.kind === 'matching' && ' The job acts on all that match when it reaches them, so the number may differ a little.'}
      </p>
      <Field label="Reason" hint="Kept with the job, and with every execution that is cancelled or paused.">
        {(control) => <input {...control} name="reason" maxLength={1_024} />}
      </Field>
      {needsConfirmation && <CheckField label={`Yes, ${action} ${what}`} checked={isConfirmed} onChange={setConfirmed} />}
    </FormDialog>
  );
}
