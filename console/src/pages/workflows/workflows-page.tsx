import { useState } from 'react';
import { Link } from 'wouter';
import { oneLine } from '../../../../machines/views/text.ts';
import type { WorkflowList } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { FieldRow } from '../../components/field.tsx';
import { Name } from '../../components/name.tsx';
import { DialogButton } from '../../components/resource/dialog-button.tsx';
import { TextFilter } from '../../components/resource/filters.tsx';
import { ResourcePage } from '../../components/resource/resource-page.tsx';
import type { Column } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { workflowPath } from './paths.ts';
import { RegisterDialog } from './register/register-dialog.tsx';
import { StartDialog } from './start/start-dialog.tsx';
import styles from './workflows.module.css';

type Summary = WorkflowList['workflows'][number];

const PAGE_SIZE = 200;

/** The latest version of each workflow. */
export function WorkflowsPage() {
  const { client, can } = useSession();
  const [parameters, setParameters] = useParameters();
  const [wanted, setWanted] = useState(PAGE_SIZE);
  const search = parameters.get('q') ?? '';
  const isStarting = parameters.has('start');
  const list = useFreshQuery({
    queryKey: ['workflows', 'list', wanted],
    queryFn: async ({ signal }) => {
      const workflows: Summary[] = [];
      for (let offset = 0; offset < wanted; offset += PAGE_SIZE) {
        const page = await client.workflows({ limit: PAGE_SIZE, offset }, { signal });
        workflows.push(...page.workflows);
        if (page.workflows.length < PAGE_SIZE) return { workflows, isComplete: true };
      }
      return { workflows, isComplete: false };
    },
  });
  const shown = list.data?.workflows.filter(({ workflow_id }) => workflow_id.toLowerCase().includes(search.toLowerCase())) ?? [];

  const columns: readonly Column<Summary>[] = [
    {
      header: 'Workflow',
      cell: ({ workflow_id }) => (
        <Link href={workflowPath(workflow_id)}>
          <Name text={workflow_id} maxChars={120} />
        </Link>
      ),
    },
    { header: 'Latest version', cell: ({ version }) => <Name text={version} maxChars={60} /> },
    { header: 'Revision', cell: ({ revision }) => <code title={revision}>{revision.slice(0, 8)}</code> },
    { header: 'Registered', cell: ({ registered_at }) => <Time at={registered_at} /> },
    { header: 'By', cell: ({ registered_by }) => <Name text={registered_by} maxChars={60} /> },
    {
      header: 'Actions',
      isActions: true,
      cell: ({ workflow_id }) => (
        <>
          <Link className={styles.action} href={`/executions?workflow_id=${encodeURIComponent(workflow_id)}`}>
            Executions
          </Link>
          {can('write') && (
            <Button
              aria-label={`Start ${oneLine(workflow_id, 80)}`}
              onClick={() => setParameters({ start: '1', workflow: workflow_id })}
            >
              Start …
            </Button>
          )}
        </>
      ),
    },
  ];

  return (
    <ResourcePage
      title="Workflows"
      actions={
        can('write') && (
          <>
            <DialogButton label="Register a workflow …">{(close) => <RegisterDialog onClose={close} />}</DialogButton>
            <Button kind="primary" onClick={() => setParameters({ start: '1' })}>
              Start an execution …
            </Button>
          </>
        )
      }
      filters={
        <FieldRow label="Filter">
          <TextFilter name="q" label="Search workflows" />
        </FieldRow>
      }
      query={list}
      rows={() => shown}
      rowKey={({ workflow_id }) => workflow_id}
      columns={columns}
      empty={
        search === '' ? (
          <Empty title="No workflow is registered yet">
            <p>
              <code>jamjet deploy workflow.yaml</code> registers one{can('write') && ', or “Register a workflow” above'}.
            </p>
          </Empty>
        ) : (
          <Empty title="No workflow has this in its name" />
        )
      }
      footer={({ isComplete }) =>
        !isComplete && (
          <p className={styles.more}>
            <Button disabled={list.isFetching} onClick={() => setWanted(wanted + PAGE_SIZE)}>
              Show more
            </Button>
          </p>
        )
      }
    >
      {isStarting && can('write') && (
        <StartDialog
          workflowId={parameters.get('workflow')}
          onClose={() => setParameters({ start: undefined, workflow: undefined })}
        />
      )}
    </ResourcePage>
  );
}
