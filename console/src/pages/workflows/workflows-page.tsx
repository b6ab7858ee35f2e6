import { useState } from 'react';
import { Link } from 'wouter';
import { oneLine } from '../../../../machines/views/text.ts';
import type { WorkflowList } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Loading } from '../../components/loading.tsx';
import { Name } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { type Column, Table } from '../../components/table.tsx';
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
  const [isRegistering, setRegistering] = useState(false);
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
  const { data } = list;
  const shown = data?.workflows.filter(({ workflow_id }) => workflow_id.toLowerCase().includes(search.toLowerCase())) ?? [];

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
    <Page
      title="Workflows"
      actions={
        can('write') && (
          <>
            <Button onClick={() => setRegistering(true)}>Register a workflow …</Button>
            <Button kind="primary" onClick={() => setParameters({ start: '1' })}>
              Start an execution …
            </Button>
          </>
        )
      }
    >
      {list.error !== null && <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <Loading what="workflows" />}
      {data?.workflows.length === 0 && (
        <Empty title="No workflow is registered yet">
          <p>
            <code>jamjet deploy workflow.yaml</code> registers one{can('write') && ', or “Register a workflow” above'}.
          </p>
        </Empty>
      )}
      {data !== undefined && data.workflows.length > 0 && (
        <>
          <input
            className={styles.search}
            type="search"
            aria-label="Search workflows"
            placeholder="Search"
            value={search}
            onChange={({ target }) => setParameters({ q: target.value })}
          />
          {shown.length === 0 ? (
            <Empty title="No workflow has this in its name" />
          ) : (
            <Table label="Workflows" rows={shown} rowKey={({ workflow_id }) => workflow_id} columns={columns} />
          )}
          {!data.isComplete && (
            <p className={styles.more}>
              <Button disabled={list.isFetching} onClick={() => setWanted(wanted + PAGE_SIZE)}>
                Show more
              </Button>
            </p>
          )}
        </>
      )}
      {isRegistering && <RegisterDialog onClose={() => setRegistering(false)} />}
      {isStarting && can('write') && (
        <StartDialog
          workflowId={parameters.get('workflow')}
          onClose={() => setParameters({ start: undefined, workflow: undefined })}
        />
      )}
    </Page>
  );
}
