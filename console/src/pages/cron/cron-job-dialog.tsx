import { lazy, Suspense } from 'react';
import { PutCronJob } from '../../../../src/api/operations/cron.ts';
import type { CronJob } from '../../../../src/client/index.ts';
import { Name } from '../../components/name.tsx';
import { SchemaDialog } from '../../components/resource/schema-dialog.tsx';
import { useWorkflowIds } from '../../live/use-workflow-ids.ts';
import { useSession } from '../../session/session.ts';

const NextRuns = lazy(async () => ({ default: (await import('./next-runs.tsx')).NextRuns }));

const NEW = { timezone: 'UTC', input: {}, missed: 'skip', overlap: 'allow', enabled: true } as const;

interface Props {
  /** The job that is replaced; null = a new one. */
  readonly job: CronJob | null;
  readonly onClose: () => void;
}

/** Creates a cron job, or replaces one. */
export function CronJobDialog({ job, onClose }: Props) {
  const { client } = useSession();
  const workflowIds = useWorkflowIds();
  return (
    <SchemaDialog
      title={job === null ? 'New cron job' : 'Edit the cron job'}
      action={job === null ? 'Create' : 'Save'}
      schema={PutCronJob}
      initial={job ?? NEW}
      fields={({ cron_expression: expression = '', timezone = '' }) => ({
        ...(job === null && { name: { label: 'Name', isWide: true } }),
        cron_expression: { label: 'Expression', placeholder: '30 2 * * *' },
        timezone: {
          label: 'Time zone',
          placeholder: 'UTC',
          suggestions: ['UTC', ...Intl.supportedValuesOf('timeZone')],
          below: (
            <Suspense>
              <NextRuns expression={expression} timezone={timezone} />
            </Suspense>
          ),
        },
        workflow_id: { label: 'Workflow', suggestions: workflowIds },
        workflow_version: 'Version',
        input: 'Input',
        missed: {
          label: 'Missed runs',
          hint: 'Times that passed while no server was running.',
          choices: { skip: 'Skip', catch_up: 'Catch up' },
        },
        overlap: {
          label: 'Overlap',
          hint: 'When the previous execution has not ended.',
          choices: { allow: 'Start another', skip: 'Skip this time', cancel_running: 'Cancel it first' },
        },
        enabled: 'Enabled',
      })}
      run={(values) => client.cron.put({ ...values, ...(job !== null && { name: job.name }) })}
      done={({ name }) => (
        <>
          <Name text={name} maxChars={60} /> is saved.
        </>
      )}
      onDone={onClose}
      onClose={onClose}
    >
      {job !== null && (
        <p>
          <Name text={job.name} /> is replaced: what is known of its last run is forgotten.
        </p>
      )}
    </SchemaDialog>
  );
}
