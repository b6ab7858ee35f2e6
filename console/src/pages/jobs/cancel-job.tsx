import type { Job } from '../../../../src/client/index.ts';
import { ConfirmButton } from '../../components/confirm.tsx';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';

/** Only for those who may cancel a job, while it runs. */
export function CancelJob({ job }: { readonly job: Job }) {
  const { client, can } = useSession();
  const cancel = useAction(
    () => client.jobs.cancel(job.id),
    ({ processed }) => `The job was cancelled after ${processed.toLocaleString()} executions.`,
  );
  if (job.status !== 'running' || !can('write')) return null;
  return (
    <ConfirmButton
      action="Cancel the job"
      dismiss="Close"
      title="Cancel the job?"
      disabled={cancel.isPending}
      onConfirm={() => cancel.mutate(undefined)}
    >
      <p>It stops. What it has done to executions so far stays.</p>
    </ConfirmButton>
  );
}
