import { useState } from 'react';
import { Link } from 'wouter';
import type { CronJob } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { Empty } from '../../components/empty.tsx';
import { Name } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useRefetchAt } from '../../live/use-refetch-at.ts';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';
import { CronJobDialog } from './cron-job-dialog.tsx';
import { inWords } from './in-words.ts';

/** A run that is due is recorded a moment later. */
const RUN_MS = 1_000;

export function CronPage() {
  const { client, can } = useSession();
  const [edited, setEdited] = useState<CronJob | 'new' | null>(null);
  const list = useFreshQuery({ queryKey: ['cron'], queryFn: ({ signal }) => client.cron.list({ signal }) });
  useRefetchAt(
    list,
    list.data?.cron_jobs.map(({ next_run_at }) => next_run_at),
    RUN_MS,
  );
  const create = can('write') && (
    <Button kind="primary" onClick={() => setEdited('new')}>
      New job
    </Button>
  );
  return (
    <Page title="Cron" actions={create}>
      <QueryStates query={list} what="cron jobs">
        {({ cron_jobs: jobs }) =>
          jobs.length === 0 ? (
            <Empty title="There are no cron jobs">
              <p>
                A job starts a workflow at the times of a cron expression. A <code>schedule:</code> in a workflow file creates one
                when it is deployed{can('write') && ', and so does New job'}.
              </p>
            </Empty>
          ) : (
            <Table label="Cron jobs" rows={jobs} rowKey={({ name }) => name} columns={columnsFor(can('write'), setEdited)} />
          )
        }
      </QueryStates>
      {edited !== null && <CronJobDialog job={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
    </Page>
  );
}

function columnsFor(canWrite: boolean, onEdit: (job: CronJob) => void): readonly Column<CronJob>[] {
  const columns: readonly Column<CronJob>[] = [
    { id: 'name', header: 'Name', cell: ({ name }) => <Name text={name} maxChars={80} /> },
    { id: 'status', header: 'Status', cell: ({ enabled }) => <StatusBadge status={enabled ? 'enabled' : 'paused'} /> },
    { id: 'schedule', header: 'Schedule', cell: (job) => <Schedule job={job} /> },
    { id: 'workflow', header: 'Workflow', cell: (job) => <WorkflowOf job={job} /> },
    { id: 'next', header: 'Next run', cell: ({ next_run_at: at }) => (at === null ? '–' : <NextRun at={at} />) },
    { id: 'last', header: 'Last run', cell: (job) => <LastRun job={job} /> },
  ];
  if (!canWrite) return columns;
  return [
    ...columns,
    { id: 'actions', header: 'Actions', isActions: true, cell: (job) => <Actions job={job} onEdit={onEdit} /> },
  ];
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
  if (at === null && executionId === null) return '–';
  return (
    <>
      {executionId === null ? (
        at !== null && <Time at={at} />
      ) : (
        <Link href={`/executions/${executionId}`} title={executionId}>
          {at === null ? 'started by hand' : <Time at={at} />}
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

function Actions({ job, onEdit }: { readonly job: CronJob; readonly onEdit: (job: CronJob) => void }) {
  const { client } = useSession();
  const { name, enabled } = job;
  const shown = <Name text={name} maxChars={60} />;
  const trigger = useAction(
    () => client.cron.trigger(name),
    ({ execution_id: id }) => (
      <>
        {shown} has started <Link href={`/executions/${id}`}>an execution</Link>.
      </>
    ),
  );
  const pause = useAction(
    () => (enabled ? client.cron.pause(name) : client.cron.resume(name)),
    () => (
      <>
        {shown} is {enabled ? 'paused' : 'resumed'}.
      </>
    ),
  );
  const remove = useAction(
    () => client.cron.delete(name),
    () => <>{shown} is deleted.</>,
  );
  return (
    <>
      <Button aria-label={`Run ${name} now`} disabled={trigger.isPending} onClick={() => trigger.mutate(undefined)}>
        Run now
      </Button>
      <Button
        aria-label={`${enabled ? 'Pause' : 'Resume'} ${name}`}
        disabled={pause.isPending}
        onClick={() => pause.mutate(undefined)}
      >
        {enabled ? 'Pause' : 'Resume'}
      </Button>
      <Button aria-label={`Edit ${name}`} onClick={() => onEdit(job)}>
        Edit
      </Button>
      <ConfirmButton
        action="Delete"
        accessibleLabel={`Delete ${name}`}
        title="Delete the cron job?"
        onConfirm={() => remove.mutate(undefined)}
      >
        <p>{shown} starts nothing any more. Executions that it has started continue.</p>
      </ConfirmButton>
    </>
  );
}
