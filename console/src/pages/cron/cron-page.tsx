import { Link } from 'wouter';
import type { CronJob } from '../../../../src/client/index.ts';
import { Empty } from '../../components/empty.tsx';
import { Name } from '../../components/name.tsx';
import { ActionButton } from '../../components/resource/action-button.tsx';
import { DialogButton } from '../../components/resource/dialog-button.tsx';
import { ResourcePage } from '../../components/resource/resource-page.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import type { Column } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useRefetchAt } from '../../live/use-refetch-at.ts';
import { useSession } from '../../session/session.ts';
import { CronJobDialog } from './cron-job-dialog.tsx';
import { inWords } from './in-words.ts';

/** A run that is due is recorded a moment later. */
const RUN_MS = 1_000;

export function CronPage() {
  const { client, can } = useSession();
  const list = useFreshQuery({ queryKey: ['cron'], queryFn: ({ signal }) => client.cron.list({ signal }) });
  useRefetchAt(
    list,
    list.data?.cron_jobs.map(({ next_run_at }) => next_run_at),
    RUN_MS,
  );
  return (
    <ResourcePage
      title="Cron"
      label="Cron jobs"
      actions={
        can('write') && (
          <DialogButton label="New job" kind="primary">
            {(close) => <CronJobDialog job={null} onClose={close} />}
          </DialogButton>
        )
      }
      query={list}
      rows={({ cron_jobs }) => cron_jobs}
      rowKey={({ name }) => name}
      columns={can('write') ? [...COLUMNS, ACTIONS] : COLUMNS}
      empty={
        <Empty title="There are no cron jobs">
          <p>
            A job starts a workflow at the times of a cron expression. A <code>schedule:</code> in a workflow file creates one
            when it is deployed{can('write') && ', and so does New job'}.
          </p>
        </Empty>
      }
    />
  );
}

const COLUMNS: readonly Column<CronJob>[] = [
  { header: 'Name', cell: ({ name }) => <Name text={name} maxChars={80} /> },
  { header: 'Status', cell: (job) => <Status job={job} /> },
  { header: 'Schedule', cell: (job) => <Schedule job={job} /> },
  { header: 'Workflow', cell: (job) => <WorkflowOf job={job} /> },
  { header: 'Next run', cell: ({ next_run_at: at }) => (at === null ? '–' : <NextRun at={at} />) },
  { header: 'Last run', cell: (job) => <LastRun job={job} /> },
];

const ACTIONS: Column<CronJob> = { header: 'Actions', isActions: true, cell: (job) => <Actions job={job} /> };

function Status({ job: { enabled, last_error: error } }: { readonly job: CronJob }) {
  return (
    <>
      <StatusBadge status={enabled ? 'enabled' : 'paused'} /> {error !== null && <StatusBadge status="failing" />}
    </>
  );
}

function NextRun({ at }: { readonly at: string }) {
  return (
    <>
      <Time at={at} />
      <p className="muted">{new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}</p>
    </>
  );
}

const MISSED = { skip: null, catch_up: 'catches up missed runs' } as const;
const OVERLAP = { allow: null, skip: 'skips while running', cancel_running: 'cancels the running one' } as const;

function Schedule({ job: { cron_expression, timezone, missed, overlap } }: { readonly job: CronJob }) {
  const rules = [MISSED[missed], OVERLAP[overlap]].filter((rule) => rule !== null);
  const words = inWords(cron_expression);
  return (
    <>
      <code>
        <Name text={cron_expression} />
      </code>
      {words !== null && <p>{words}</p>}
      <p className="muted">{[timezone, ...rules].join(' · ')}</p>
    </>
  );
}

function WorkflowOf({ job: { workflow_id: id, workflow_version: version } }: { readonly job: CronJob }) {
  return (
    <>
      <Link href={`/workflows/${encodeURIComponent(id)}`}>
        <Name text={id} maxChars={80} />
      </Link>
      {version !== null && (
        <p className="muted">
          version <Name text={version} maxChars={40} />
        </p>
      )}
    </>
  );
}

function LastRun({ job: { last_run_at: at, last_execution_id: executionId, last_error: error } }: { readonly job: CronJob }) {
  return (
    <>
      {executionId === null ? (
        <Time at={at} />
      ) : (
        <Link href={`/executions/${executionId}`} title={executionId}>
          <Time at={at} otherwise="started by hand" />
        </Link>
      )}
      {error !== null && (
        <p role="alert">
          <Name text={error} />
        </p>
      )}
    </>
  );
}

function Actions({ job }: { readonly job: CronJob }) {
  const { client } = useSession();
  const { name, enabled } = job;
  const shown = <Name text={name} maxChars={60} />;
  return (
    <>
      <ActionButton
        label="Run now"
        accessibleLabel={`Run ${name} now`}
        run={() => client.cron.trigger(name)}
        done={({ execution_id: id }) => (
          <>
            {shown} has started <Link href={`/executions/${id}`}>an execution</Link>.
          </>
        )}
      />
      <ActionButton
        label={enabled ? 'Pause' : 'Resume'}
        accessibleLabel={`${enabled ? 'Pause' : 'Resume'} ${name}`}
        run={() => (enabled ? client.cron.pause(name) : client.cron.resume(name))}
        done={(changed) => (
          <>
            {shown} is {changed.enabled ? 'resumed' : 'paused'}.
          </>
        )}
      />
      <DialogButton label="Edit" accessibleLabel={`Edit ${name}`}>
        {(close) => <CronJobDialog job={job} onClose={close} />}
      </DialogButton>
      <ActionButton
        label="Delete"
        accessibleLabel={`Delete ${name}`}
        run={() => client.cron.delete(name)}
        done={() => <>{shown} is deleted.</>}
        question="Delete the cron job?"
      >
        <p>{shown} starts nothing any more. Executions that it has started continue.</p>
      </ActionButton>
    </>
  );
}
