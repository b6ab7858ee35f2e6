import type { Job } from '../../../../src/client/index.ts';
import { ActionButton } from '../../components/resource/action-button.tsx';
import { useSession } from '../../session/session.ts';

/** Only for those who may cancel a job, while it runs. */
export function CancelJob({ job: { id, status } }: { readonly job: Job }) {
  const { client, can } = useSession();
  if (status !== 'running' || !can('write')) return null;
  return (
    <ActionButton
      label="Cancel the job"
      run={() => client.jobs.cancel(id)}
      done={({ processed }) => `The job was cancelled after ${processed.toLocaleString()} executions.`}
      question="Cancel the job?"
      dismiss="Close"
    >
      <p>It stops. What it has done to executions so far stays.</p>
    </ActionButton>
  );
}
